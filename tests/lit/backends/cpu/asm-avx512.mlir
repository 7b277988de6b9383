// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=SPILL

// 28 accumulators, two weights and what is broadcast: 32 registers, and nothing goes to the stack.
// SPILL-LABEL: contraction:
// SPILL-NOT: (%rsp)
// SPILL-NOT: callq
// SPILL: retq

// CHECK-LABEL: contraction:
// CHECK: [[LOOP:\.LBB[0-9_]+]]:
// CHECK-COUNT-2: vmovups {{.*}}(%rsi), %zmm
// CHECK-COUNT-28: vfmadd231ps %zmm{{[0-9]+}}, %zmm{{[0-9]+}}, %zmm
// CHECK: jne [[LOOP]]
// CHECK-COUNT-28: vmovups %zmm{{[0-9]+}}, {{.*}}(%rdx)
// CHECK-NEXT: vzeroupper
!x = memref<64x14xf32>
!w = memref<64x32xf32>
!y = memref<14x32xf32>
!v = vector<16xf32>
func.func @contraction(%x: !x, %w: !w, %y: !y) {
  %zero = arith.constant dense<0.0> : !v
  %r0_0, %r1_0, %r0_1, %r1_1, %r0_2, %r1_2, %r0_3, %r1_3, %r0_4, %r1_4, %r0_5, %r1_5, %r0_6,
      %r1_6, %r0_7, %r1_7, %r0_8, %r1_8, %r0_9, %r1_9, %r0_10, %r1_10, %r0_11, %r1_11, %r0_12,
      %r1_12, %r0_13, %r1_13 =
    loop.for %k < 64 iter(%a0_0 = %zero, %a1_0 = %zero, %a0_1 = %zero, %a1_1 = %zero,
      %a0_2 = %zero, %a1_2 = %zero, %a0_3 = %zero, %a1_3 = %zero, %a0_4 = %zero, %a1_4 = %zero,
      %a0_5 = %zero, %a1_5 = %zero, %a0_6 = %zero, %a1_6 = %zero, %a0_7 = %zero, %a1_7 = %zero,
      %a0_8 = %zero, %a1_8 = %zero, %a0_9 = %zero, %a1_9 = %zero, %a0_10 = %zero, %a1_10 = %zero,
      %a0_11 = %zero, %a1_11 = %zero, %a0_12 = %zero, %a1_12 = %zero, %a0_13 = %zero,
      %a1_13 = %zero) : !v {
    %w0 = vec.load %w[%k, 0] : !w -> !v
    %w1 = vec.load %w[%k, 16] : !w -> !v
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
    %x6 = vec.load_splat %x[%k, 6] : !x -> !v
    %n0_6 = math.fma %x6, %w0, %a0_6 : !v
    %n1_6 = math.fma %x6, %w1, %a1_6 : !v
    %x7 = vec.load_splat %x[%k, 7] : !x -> !v
    %n0_7 = math.fma %x7, %w0, %a0_7 : !v
    %n1_7 = math.fma %x7, %w1, %a1_7 : !v
    %x8 = vec.load_splat %x[%k, 8] : !x -> !v
    %n0_8 = math.fma %x8, %w0, %a0_8 : !v
    %n1_8 = math.fma %x8, %w1, %a1_8 : !v
    %x9 = vec.load_splat %x[%k, 9] : !x -> !v
    %n0_9 = math.fma %x9, %w0, %a0_9 : !v
    %n1_9 = math.fma %x9, %w1, %a1_9 : !v
    %x10 = vec.load_splat %x[%k, 10] : !x -> !v
    %n0_10 = math.fma %x10, %w0, %a0_10 : !v
    %n1_10 = math.fma %x10, %w1, %a1_10 : !v
    %x11 = vec.load_splat %x[%k, 11] : !x -> !v
    %n0_11 = math.fma %x11, %w0, %a0_11 : !v
    %n1_11 = math.fma %x11, %w1, %a1_11 : !v
    %x12 = vec.load_splat %x[%k, 12] : !x -> !v
    %n0_12 = math.fma %x12, %w0, %a0_12 : !v
    %n1_12 = math.fma %x12, %w1, %a1_12 : !v
    %x13 = vec.load_splat %x[%k, 13] : !x -> !v
    %n0_13 = math.fma %x13, %w0, %a0_13 : !v
    %n1_13 = math.fma %x13, %w1, %a1_13 : !v
    loop.yield %n0_0, %n1_0, %n0_1, %n1_1, %n0_2, %n1_2, %n0_3, %n1_3, %n0_4, %n1_4, %n0_5,
        %n1_5, %n0_6, %n1_6, %n0_7, %n1_7, %n0_8, %n1_8, %n0_9, %n1_9, %n0_10, %n1_10, %n0_11,
        %n1_11, %n0_12, %n1_12, %n0_13, %n1_13 :
        !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v, !v,
        !v, !v, !v, !v, !v, !v
  }
  vec.store %r0_0, %y[0, 0] : !v, !y
  vec.store %r1_0, %y[0, 16] : !v, !y
  vec.store %r0_1, %y[1, 0] : !v, !y
  vec.store %r1_1, %y[1, 16] : !v, !y
  vec.store %r0_2, %y[2, 0] : !v, !y
  vec.store %r1_2, %y[2, 16] : !v, !y
  vec.store %r0_3, %y[3, 0] : !v, !y
  vec.store %r1_3, %y[3, 16] : !v, !y
  vec.store %r0_4, %y[4, 0] : !v, !y
  vec.store %r1_4, %y[4, 16] : !v, !y
  vec.store %r0_5, %y[5, 0] : !v, !y
  vec.store %r1_5, %y[5, 16] : !v, !y
  vec.store %r0_6, %y[6, 0] : !v, !y
  vec.store %r1_6, %y[6, 16] : !v, !y
  vec.store %r0_7, %y[7, 0] : !v, !y
  vec.store %r1_7, %y[7, 16] : !v, !y
  vec.store %r0_8, %y[8, 0] : !v, !y
  vec.store %r1_8, %y[8, 16] : !v, !y
  vec.store %r0_9, %y[9, 0] : !v, !y
  vec.store %r1_9, %y[9, 16] : !v, !y
  vec.store %r0_10, %y[10, 0] : !v, !y
  vec.store %r1_10, %y[10, 16] : !v, !y
  vec.store %r0_11, %y[11, 0] : !v, !y
  vec.store %r1_11, %y[11, 16] : !v, !y
  vec.store %r0_12, %y[12, 0] : !v, !y
  vec.store %r1_12, %y[12, 16] : !v, !y
  vec.store %r0_13, %y[13, 0] : !v, !y
  vec.store %r1_13, %y[13, 16] : !v, !y
  func.return
}
