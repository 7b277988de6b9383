// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefixes=CHECK,AVX512
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefixes=CHECK,AVX2
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:x86-64"}' | filecheck %s --check-prefix=SSE2

// One instruction a side, which keeps NaN.
// CHECK-LABEL:    clamp:
// AVX512:           vmaxps (%rdi), %zmm
// AVX512-NEXT:      vbroadcastss
// AVX512-NEXT:      vminps
// AVX512-NEXT:      vmovups
// AVX2-COUNT-2:     vmaxps {{.*}}(%rdi), %ymm
// AVX2-COUNT-2:     vminps %ymm
// CHECK:            retq
func.func @clamp(%x: memref<16xf32>, %y: memref<16xf32>) {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %six = arith.constant dense<6.0> : vector<16xf32>
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %b = arith.maximumf %a, %one : vector<16xf32>
  %c = arith.minimumf %b, %six : vector<16xf32>
  vec.store %c, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL:    round:
// AVX512:           vrndscaleps $8, {{.*}}%zmm
// AVX2-COUNT-2:     vroundps $8, {{.*}}%ymm
// CHECK:            retq
func.func @round(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %r = math.roundeven %a : vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// A comparison is a mask, a choice one blend: no branch, no loop over lanes.
// CHECK-LABEL:    choose:
// AVX512:           vcmpltps {{.*}}, %k{{[0-9]}}
// AVX512:           vmovaps %zmm{{.*}} {%k
// AVX2-COUNT-2:     vcmpltps {{.*}}%ymm
// AVX2-COUNT-2:     vblendvps %ymm
// SSE2-LABEL:     choose:
// SSE2-COUNT-4:     cmpltps
// SSE2-COUNT-4:     andnps
// SSE2:             retq
// CHECK-NOT:        {{jmp|je|jne|jb}}
// CHECK:            retq
func.func @choose(%x: memref<16xf32>, %y: memref<16xf32>) {
  %six = arith.constant dense<6.0> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %m = vec.compare "olt" %a, %six : vector<16xf32> -> vector<16xi1>
  %r = vec.select %m, %a, %one : vector<16xi1>, vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}
