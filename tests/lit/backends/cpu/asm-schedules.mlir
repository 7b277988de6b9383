// RUN: lamina-opt %s -p 'te-contract-fma,te-choose-schedules{target="cpu:skylake-avx512"},te-schedule,te-to-loops,te-to-vec,vec-prefetch' -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=AVX512
// RUN: lamina-opt %s -p 'te-contract-fma,te-choose-schedules{target="cpu:skylake-avx512"},te-schedule,te-to-loops,te-to-vec,vec-prefetch' -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=STACK
// RUN: lamina-opt %s -p 'te-contract-fma,te-choose-schedules{target="cpu:haswell"},te-schedule,te-to-loops,te-to-vec,vec-prefetch' -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=AVX2
// RUN: lamina-opt %s -p 'te-contract-fma,te-choose-schedules{target="cpu:haswell"},te-schedule,te-to-loops,te-to-vec,vec-prefetch' -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=STACK
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:nehalem"},te-schedule,te-to-loops,te-to-vec,vec-prefetch' -t 'lamina-asm{target="cpu:nehalem"}' | filecheck %s --check-prefix=SSE
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:nehalem"},te-schedule,te-to-loops,te-to-vec,vec-prefetch' -t 'lamina-asm{target="cpu:nehalem"}' | filecheck %s --check-prefix=STACK

// Schedules chosen for three instruction sets, down to their hot loops: what is multiplied and added
// there, and that nothing is kept on the stack.

// 28 accumulators of 32 registers, 12 of 16; without fma a product takes one more.
// AVX512-LABEL: window_and_channels:
// AVX512-COUNT-14:  vbroadcastss {{.*}}%zmm
// AVX512-COUNT-2:   vfmadd231ps %zmm{{[0-9]+}}, %zmm{{[0-9]+}}, %zmm
// AVX512:           jne
// AVX512-COUNT-28:  vmovups %zmm{{[0-9]+}}, {{.*}}(%r
// AVX2-LABEL:   window_and_channels:
// AVX2:             vbroadcastss {{.*}}%ymm
// AVX2-COUNT-12:    vfmadd231ps %ymm{{[0-9]+}}, %ymm{{[0-9]+}}, %ymm
// AVX2-NOT:         vfmadd
// AVX2:             jne
// SSE-LABEL:    window_and_channels:
// SSE:              shufps $0
// SSE-COUNT-12:     addps %xmm
// SSE-NOT:          addps
// SSE:              jne
// STACK-LABEL:  window_and_channels:
// STACK:            {{vbroadcastss|movss}}
// STACK-NOT:        (%rsp)
// STACK:            jne
func.func @window_and_channels(%x: memref<4x58x58x16xf32>, %w: memref<2x4x3x3x16x32xf32>,
                               %b: memref<64xf32>, %y: memref<4x56x56x16xf32>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, kh, kw, ic mod 16, oc mod 32])
    extras(%b[oc]) out(%y[oc floordiv 16, oh, ow, oc mod 16]) init 0.0 : f32
    : memref<4x58x58x16xf32>, memref<2x4x3x3x16x32xf32>, memref<64xf32>, memref<4x56x56x16xf32>
    (%a: f32, %c: f32, %acc: f32) {
      %p = arith.mulf %a, %c : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    } epilogue (%v: f32, %d: f32) {
      %t = arith.addf %v, %d : f32
      %zero = arith.constant 0.0 : f32
      %r = arith.maximumf %t, %zero : f32
      te.yield %r : f32
    }
  func.return
}

// AVX512-LABEL: channels_only:
// AVX512:           vbroadcastss {{.*}}%zmm
// AVX512-COUNT-28:  vfmadd231ps %zmm{{[0-9]+}}, %zmm{{[0-9]+}}, %zmm
// AVX512-NOT:       vfmadd
// AVX512:           jne
// AVX2-LABEL:   channels_only:
// AVX2:             vbroadcastss {{.*}}%ymm
// AVX2-COUNT-12:    vfmadd231ps %ymm{{[0-9]+}}, %ymm{{[0-9]+}}, %ymm
// AVX2-NOT:         vfmadd
// AVX2:             jne
// SSE-LABEL:    channels_only:
// SSE:              shufps $0
// SSE-COUNT-8:      addps %xmm
// SSE:              jne
// STACK-LABEL:  channels_only:
// STACK:            {{vbroadcastss|movss}}
// STACK-NOT:        (%rsp)
// STACK:            jne
func.func @channels_only(%x: memref<8x14x14x16xf32>, %w: memref<8x8x16x32xf32>,
                         %y: memref<16x14x14x16xf32>) {
  te.compute
    axes(oc: 256, oh: 14, ow: 14, reduce ic: 128)
    ins(%x[ic floordiv 16, oh, ow, ic mod 16], %w[oc floordiv 32, ic floordiv 16, ic mod 16, oc mod 32])
    out(%y[oc floordiv 16, oh, ow, oc mod 16]) init 0.0 : f32
    : memref<8x14x14x16xf32>, memref<8x8x16x32xf32>, memref<16x14x14x16xf32>
    (%a: f32, %c: f32, %acc: f32) {
      %p = arith.mulf %a, %c : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// Weights stay in registers, and each input is loaded once for all windows that it is in.
// AVX512-LABEL: window_of_each_channel:
// AVX512-COUNT-100: vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:       (%rsp)
// AVX512:           jne
// AVX2-LABEL:   window_of_each_channel:
// AVX2-COUNT-72:    vfmadd{{[0-9]+}}ps {{.*}}%ymm
// AVX2:             jne
// SSE-LABEL:    window_of_each_channel:
// SSE-COUNT-56:     addps {{.*}}%xmm
// SSE:              jne
func.func @window_of_each_channel(%x: memref<4x30x30x16xf32>, %w: memref<4x3x3x16xf32>, %y: memref<4x28x28x16xf32>) {
  te.compute
    axes(c: 64, oh: 28, ow: 28, reduce kh: 3, reduce kw: 3)
    ins(%x[c floordiv 16, oh + kh, ow + kw, c mod 16], %w[c floordiv 16, kh, kw, c mod 16])
    out(%y[c floordiv 16, oh, ow, c mod 16]) init 0.0 : f32
    : memref<4x30x30x16xf32>, memref<4x3x3x16xf32>, memref<4x28x28x16xf32>
    (%a: f32, %c: f32, %acc: f32) {
      %p = arith.mulf %a, %c : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// The matrix is read once, as operand of the arithmetic.
// AVX512-LABEL: matrix_times_vector:
// AVX512:           vbroadcastss
// AVX512-COUNT-8:   vfmadd231ps {{.*}}(%r{{.*}}), %zmm{{[0-9]+}}, %zmm
// AVX512:           jne
// AVX2-LABEL:   matrix_times_vector:
// AVX2:             vbroadcastss
// AVX2-COUNT-8:     vfmadd231ps {{.*}}(%r{{.*}}), %ymm{{[0-9]+}}, %ymm
// AVX2:             jne
// SSE-LABEL:    matrix_times_vector:
// SSE:              movss
// SSE-COUNT-8:      addps %xmm
// SSE:              jne
// STACK-LABEL:  matrix_times_vector:
// STACK:            {{vbroadcastss|movss}}
// STACK-NOT:        (%rsp)
// STACK:            jne
func.func @matrix_times_vector(%x: memref<128xf32>, %w: memref<8x128x128xf32>, %y: memref<1024xf32>) {
  te.compute
    axes(o: 1024, reduce i: 128)
    ins(%x[i], %w[o floordiv 128, i, o mod 128]) out(%y[o]) init 0.0 : f32
    : memref<128xf32>, memref<8x128x128xf32>, memref<1024xf32>
    (%a: f32, %c: f32, %acc: f32) {
      %p = arith.mulf %a, %c : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// NaN stays: the larger one, or what is no number.
// AVX512-LABEL: largest_in_a_window:
// AVX512:           vmaxps {{.*}}%zmm
// AVX512:           vcmpunordps {{.*}}%k
// AVX512:           vmovaps {{.*}} {%k
// AVX512-NOT:       %xmm
// AVX512:           retq
// AVX2-LABEL:   largest_in_a_window:
// AVX2:             vmaxps {{.*}}%ymm
// AVX2:             vblendvps {{.*}}%ymm
// AVX2:             retq
// SSE-LABEL:    largest_in_a_window:
// SSE:              maxps {{.*}}%xmm
// SSE:              blendvps {{.*}}%xmm
// SSE:              retq
// STACK-LABEL:  largest_in_a_window:
// STACK:            maxps
// STACK-NOT:        (%rsp){{.*}}mm
// STACK:            jne
func.func @largest_in_a_window(%x: memref<4x57x57x16xf32>, %y: memref<4x28x28x16xf32>) {
  te.compute
    axes(c: 64, oh: 28, ow: 28, reduce kh: 3, reduce kw: 3)
    ins(%x[c floordiv 16, oh * 2 + kh, ow * 2 + kw, c mod 16])
    out(%y[c floordiv 16, oh, ow, c mod 16]) init 0xff800000 : f32
    : memref<4x57x57x16xf32>, memref<4x28x28x16xf32>
    (%a: f32, %acc: f32) {
      %s = arith.maximumf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}
