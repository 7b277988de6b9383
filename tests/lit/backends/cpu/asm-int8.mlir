// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:cascadelake"}' -t 'lamina-asm{target="cpu:cascadelake"}' | filecheck %s --check-prefix=VNNI
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:alderlake"}' -t 'lamina-asm{target="cpu:alderlake"}' | filecheck %s --check-prefix=VEX
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:skylake-avx512"}' -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=AVX512
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:haswell"}' -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=AVX2
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:nehalem"}' -t 'lamina-asm{target="cpu:nehalem"}' | filecheck %s --check-prefix=SSE
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:x86-64"}' -t 'lamina-asm{target="cpu:x86-64"}' | filecheck %s --check-prefix=SSE2
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:knl"}' -t 'lamina-asm{target="cpu:knl"}' | filecheck %s --check-prefix=KNL

// The fastest instructions of each CPU that are exact, on vectors as wide as it has them.

// VNNI-LABEL:   any_weights:
// VNNI:           vpdpbusd {{.*}}%zmm
// VEX-LABEL:    any_weights:
// VEX:            {vex} vpdpbusd {{.*}}%ymm
// VEX:            {vex} vpdpbusd {{.*}}%ymm
// VEX-NOT:        vpdpbusd
// VEX:            retq
// AVX512-LABEL: any_weights:
// AVX512:         vpmaddwd {{.*}}%zmm
// AVX512:         vpmaddwd {{.*}}%zmm
// AVX512-NOT:     vpmadd
// AVX512:         retq
// AVX2-LABEL:   any_weights:
// AVX2-COUNT-4:   vpmaddwd {{.*}}%ymm
// AVX2-NOT:       vpmadd
// AVX2:           retq
// SSE-LABEL:    any_weights:
// SSE-COUNT-8:    pmaddwd {{.*}}%xmm
// SSE-NOT:        pmadd
// SSE:            retq
// SSE2-LABEL:   any_weights:
// SSE2-COUNT-8:   pmaddwd {{.*}}%xmm
// SSE2-NOT:       pmadd
// SSE2:           retq
// KNL-LABEL:    any_weights:
// KNL-COUNT-4:    vpmaddwd {{.*}}%ymm
// KNL-NOT:        vpmadd
// KNL:            retq
func.func @any_weights(%c: memref<16xi32>, %a: memref<64xi8>, %b: memref<64xi8>) {
  %acc = vec.load %c[0] : memref<16xi32> -> vector<16xi32>
  %x = vec.load_splat %a[0] : memref<64xi8> -> vector<16x4xi8>
  %y = vec.load %b[0] : memref<64xi8> -> vector<16x4xi8>
  %r = int8.dot4 %acc, %x, %y : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  vec.store %r, %c[0] : vector<16xi32>, memref<16xi32>
  func.return
}

// VNNI-LABEL:   seven_bits:
// VNNI:           vpdpbusd {{.*}}%zmm
// VEX-LABEL:    seven_bits:
// VEX:            {vex} vpdpbusd {{.*}}%ymm
// AVX512-LABEL: seven_bits:
// AVX512:         vpmaddubsw {{.*}}%zmm
// AVX512:         vpmaddwd {{.*}}%zmm
// AVX512:         vpaddd {{.*}}%zmm
// AVX512-NOT:     vpmadd
// AVX512:         retq
// AVX2-LABEL:   seven_bits:
// AVX2-COUNT-2:   vpmaddubsw {{.*}}%ymm
// AVX2-NOT:       vpmaddubsw
// AVX2:           retq
// SSE-LABEL:    seven_bits:
// SSE-COUNT-4:    pmaddubsw {{.*}}%xmm
// SSE-NOT:        pmaddubsw
// SSE:            retq
// SSE2-LABEL:   seven_bits:
// SSE2-NOT:       pmaddubsw
// SSE2-COUNT-8:   pmaddwd {{.*}}%xmm
// KNL-LABEL:    seven_bits:
// KNL-COUNT-2:    vpmaddubsw {{.*}}%ymm
func.func @seven_bits(%c: memref<16xi32>, %a: memref<64xi8>, %b: memref<64xi8>) {
  %acc = vec.load %c[0] : memref<16xi32> -> vector<16xi32>
  %x = vec.load_splat %a[0] : memref<64xi8> -> vector<16x4xi8>
  %y = vec.load %b[0] : memref<64xi8> -> vector<16x4xi8>
  %r = int8.dot4 %acc, %x, %y {lamina.abs_b = 64 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  vec.store %r, %c[0] : vector<16xi32>, memref<16xi32>
  func.return
}

// VNNI-LABEL:   half:
// VNNI:           vpdpbusd {{.*}}%ymm
// VEX-LABEL:    half:
// VEX:            {vex} vpdpbusd {{.*}}%ymm
// AVX512-LABEL: half:
// AVX512:         vpmaddwd {{.*}}%ymm
// AVX2-LABEL:   half:
// AVX2-COUNT-2:   vpmaddwd {{.*}}%ymm
// SSE-LABEL:    half:
// SSE-COUNT-4:    pmaddwd {{.*}}%xmm
func.func @half(%c: memref<8xi32>, %a: memref<32xi8>, %b: memref<32xi8>) {
  %acc = vec.load %c[0] : memref<8xi32> -> vector<8xi32>
  %x = vec.load %a[0] : memref<32xi8> -> vector<8x4xi8>
  %y = vec.load %b[0] : memref<32xi8> -> vector<8x4xi8>
  %r = int8.dot4 %acc, %x, %y : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
  vec.store %r, %c[0] : vector<8xi32>, memref<8xi32>
  func.return
}
