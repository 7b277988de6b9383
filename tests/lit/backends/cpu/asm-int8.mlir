// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:cascadelake"}' | filecheck %s --check-prefix=VNNI
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:alderlake"}' | filecheck %s --check-prefix=VEX
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=NONE

// One instruction where the CPU has it, for vectors as wide as its own; an exact sum elsewhere.

// VNNI-LABEL: wide:
// VNNI:         vpdpbusd {{.*}}%zmm
// VEX-LABEL:  wide:
// VEX-NOT:      vpdpbusd
// VEX:          retq
// NONE-LABEL: wide:
// NONE-NOT:     vpdpbusd
// NONE:         vpmaddwd {{.*}}%ymm
func.func @wide(%c: memref<16xi32>, %a: memref<64xi8>, %b: memref<64xi8>) {
  %acc = vec.load %c[0] : memref<16xi32> -> vector<16xi32>
  %x = vec.load_splat %a[0] : memref<64xi8> -> vector<16x4xi8>
  %y = vec.load %b[0] : memref<64xi8> -> vector<16x4xi8>
  %r = int8.dot4 %acc, %x, %y : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  vec.store %r, %c[0] : vector<16xi32>, memref<16xi32>
  func.return
}

// VNNI-LABEL: half:
// VNNI:         vpdpbusd {{.*}}%ymm
// VEX-LABEL:  half:
// VEX:          {vex} vpdpbusd {{.*}}%ymm
// NONE-LABEL: half:
// NONE-NOT:     vpdpbusd
// NONE:         vpmaddwd {{.*}}%ymm
func.func @half(%c: memref<8xi32>, %a: memref<32xi8>, %b: memref<32xi8>) {
  %acc = vec.load %c[0] : memref<8xi32> -> vector<8xi32>
  %x = vec.load %a[0] : memref<32xi8> -> vector<8x4xi8>
  %y = vec.load %b[0] : memref<32xi8> -> vector<8x4xi8>
  %r = int8.dot4 %acc, %x, %y : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
  vec.store %r, %c[0] : vector<8xi32>, memref<8xi32>
  func.return
}
