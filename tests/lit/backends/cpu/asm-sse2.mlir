// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:x86-64"}' | filecheck %s
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:x86-64"}' | filecheck %s --check-prefix=SPILL

// No fused multiply-add here: the kernel multiplies and adds. 10 accumulators of 16 registers.
// SPILL-LABEL: contraction:
// SPILL-NOT: (%rsp)
// SPILL-NOT: callq
// SPILL: retq

// CHECK-LABEL: contraction:
// CHECK: [[LOOP:\.LBB[0-9_]+]]:
// CHECK-COUNT-2: movups {{.*}}(%rsi), %xmm
// CHECK-COUNT-10: addps
// CHECK: jne [[LOOP]]
// CHECK-COUNT-10: movups %xmm{{[0-9]+}}, {{.*}}(%rdx)
// CHECK-NEXT: retq
!x = memref<64x5xf32>
!w = memref<64x8xf32>
!y = memref<5x8xf32>
!v = vector<4xf32>
func.func @contraction(%x: !x, %w: !w, %y: !y) {
  %zero = arith.constant dense<0.0> : !v
  %r0_0, %r1_0, %r0_1, %r1_1, %r0_2, %r1_2, %r0_3, %r1_3, %r0_4, %r1_4 =
    loop.for %k < 64 iter(%a0_0 = %zero, %a1_0 = %zero, %a0_1 = %zero, %a1_1 = %zero,
      %a0_2 = %zero, %a1_2 = %zero, %a0_3 = %zero, %a1_3 = %zero, %a0_4 = %zero, %a1_4 = %zero) : !v {
    %w0 = vec.load %w[%k, 0] : !w -> !v
    %w1 = vec.load %w[%k, 4] : !w -> !v
    %x0 = vec.load_splat %x[%k, 0] : !x -> !v
    %p0_0 = arith.mulf %x0, %w0 : !v
    %n0_0 = arith.addf %a0_0, %p0_0 : !v
    %p1_0 = arith.mulf %x0, %w1 : !v
    %n1_0 = arith.addf %a1_0, %p1_0 : !v
    %x1 = vec.load_splat %x[%k, 1] : !x -> !v
    %p0_1 = arith.mulf %x1, %w0 : !v
    %n0_1 = arith.addf %a0_1, %p0_1 : !v
    %p1_1 = arith.mulf %x1, %w1 : !v
    %n1_1 = arith.addf %a1_1, %p1_1 : !v
    %x2 = vec.load_splat %x[%k, 2] : !x -> !v
    %p0_2 = arith.mulf %x2, %w0 : !v
    %n0_2 = arith.addf %a0_2, %p0_2 : !v
    %p1_2 = arith.mulf %x2, %w1 : !v
    %n1_2 = arith.addf %a1_2, %p1_2 : !v
    %x3 = vec.load_splat %x[%k, 3] : !x -> !v
    %p0_3 = arith.mulf %x3, %w0 : !v
    %n0_3 = arith.addf %a0_3, %p0_3 : !v
    %p1_3 = arith.mulf %x3, %w1 : !v
    %n1_3 = arith.addf %a1_3, %p1_3 : !v
    %x4 = vec.load_splat %x[%k, 4] : !x -> !v
    %p0_4 = arith.mulf %x4, %w0 : !v
    %n0_4 = arith.addf %a0_4, %p0_4 : !v
    %p1_4 = arith.mulf %x4, %w1 : !v
    %n1_4 = arith.addf %a1_4, %p1_4 : !v
    loop.yield %n0_0, %n1_0, %n0_1, %n1_1, %n0_2, %n1_2, %n0_3, %n1_3, %n0_4, %n1_4 :
        !v, !v, !v, !v, !v, !v, !v, !v, !v, !v
  }
  vec.store %r0_0, %y[0, 0] : !v, !y
  vec.store %r1_0, %y[0, 4] : !v, !y
  vec.store %r0_1, %y[1, 0] : !v, !y
  vec.store %r1_1, %y[1, 4] : !v, !y
  vec.store %r0_2, %y[2, 0] : !v, !y
  vec.store %r1_2, %y[2, 4] : !v, !y
  vec.store %r0_3, %y[3, 0] : !v, !y
  vec.store %r1_3, %y[3, 4] : !v, !y
  vec.store %r0_4, %y[4, 0] : !v, !y
  vec.store %r1_4, %y[4, 4] : !v, !y
  func.return
}
