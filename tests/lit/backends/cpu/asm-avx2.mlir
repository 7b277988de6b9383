// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=SPILL

// 12 accumulators, two weights and what is broadcast: 15 of 16 registers.
// SPILL-LABEL: contraction:
// SPILL-NOT: (%rsp)
// SPILL-NOT: callq
// SPILL: retq

// CHECK-LABEL: contraction:
// CHECK: [[LOOP:\.LBB[0-9_]+]]:
// CHECK-COUNT-2: vmovups {{.*}}(%rsi), %ymm
// CHECK-COUNT-12: vfmadd231ps %ymm{{[0-9]+}}, %ymm{{[0-9]+}}, %ymm
// CHECK: jne [[LOOP]]
// CHECK-COUNT-12: vmovups %ymm{{[0-9]+}}, {{.*}}(%rdx)
// CHECK-NEXT: vzeroupper
!x = memref<64x6xf32>
!w = memref<64x16xf32>
!y = memref<6x16xf32>
!v = vector<8xf32>
func.func @contraction(%x: !x, %w: !w, %y: !y) {
  %zero = arith.constant dense<0.0> : !v
  %r0_0, %r1_0, %r0_1, %r1_1, %r0_2, %r1_2, %r0_3, %r1_3, %r0_4, %r1_4, %r0_5, %r1_5 =
    loop.for %k < 64 iter(%a0_0 = %zero, %a1_0 = %zero, %a0_1 = %zero, %a1_1 = %zero,
      %a0_2 = %zero, %a1_2 = %zero, %a0_3 = %zero, %a1_3 = %zero, %a0_4 = %zero, %a1_4 = %zero,
      %a0_5 = %zero, %a1_5 = %zero) : !v {
    %w0 = vec.load %w[%k, 0] : !w -> !v
    %w1 = vec.load %w[%k, 8] : !w -> !v
    %x0 = vec.load_splat %x[%k, 0] : !x -> !v
    %n0_0 = math.fma %x0, %w0, %a0_0 : !v
    %n1_0 = math.fma %x0, %w1, %a1_0 : !v
    %x1 = vec.load_splat %x[%k, 1] : !x -> !v
    %n0_1 = math.fma %x1, %w0, %a0_1 : !v
    %n1_1 = math.fma %x1, %w1, %a1_1 : !v
    %x2 = vec.load_splat %x[%k, 2] : !x -> !v
    %n0_2 = math.fma %x2, %w0, %a0_2 : !v
    %n1_2 = math.fma %x2, %w1, %a1_2 : !v
    %x3 = vec.load_splat %x[%k, 3] : !x -> !v
    %n0_3 = math.fma %x3, %w0, %a0_3 : !v
    %n1_3 = math.fma %x3, %w1, %a1_3 : !v
    %x4 = vec.load_splat %x[%k, 4] : !x -> !v
    %n0_4 = math.fma %x4, %w0, %a0_4 : !v
    %n1_4 = math.fma %x4, %w1, %a1_4 : !v
    %x5 = vec.load_splat %x[%k, 5] : !x -> !v
    %n0_5 = math.fma %x5, %w0, %a0_5 : !v
    %n1_5 = math.fma %x5, %w1, %a1_5 : !v
    loop.yield %n0_0, %n1_0, %n0_1, %n1_1, %n0_2, %n1_2, %n0_3, %n1_3, %n0_4, %n1_4, %n0_5, %n1_5 :
        !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v
  }
  vec.store %r0_0, %y[0, 0] : !v, !y
  vec.store %r1_0, %y[0, 8] : !v, !y
  vec.store %r0_1, %y[1, 0] : !v, !y
  vec.store %r1_1, %y[1, 8] : !v, !y
  vec.store %r0_2, %y[2, 0] : !v, !y
  vec.store %r1_2, %y[2, 8] : !v, !y
  vec.store %r0_3, %y[3, 0] : !v, !y
  vec.store %r1_3, %y[3, 8] : !v, !y
  vec.store %r0_4, %y[4, 0] : !v, !y
  vec.store %r1_4, %y[4, 8] : !v, !y
  vec.store %r0_5, %y[5, 0] : !v, !y
  vec.store %r1_5, %y[5, 8] : !v, !y
  func.return
}
