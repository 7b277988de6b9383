// RUN: lamina-opt %s -p int8-expand -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=AVX512
// RUN: lamina-opt %s -p int8-expand -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=AVX2

// Back to bytes in fixed point: products of the even lanes and of the odd ones, their upper halves
// beside each other, two shifts and what rounds between them, then packing, which cuts off.

// AVX512-LABEL: channels:
// AVX512:           vpsrlq $32, %zmm
// AVX512-NEXT:      vpsrlq $32, %zmm
// AVX512-COUNT-2:   vpmuldq %zmm
// AVX512-NEXT:      vpermt2d %zmm
// AVX512-NEXT:      vpsravd (%rdx
// AVX512-NEXT:      vpaddd %zmm
// AVX512-NEXT:      vpsrad $1, %zmm
// AVX512-NEXT:      vpmaxsd %zmm
// AVX512-NEXT:      vpmovusdb %zmm{{[0-9]+}}, (%rcx
// AVX512-NEXT:      addq

// AVX2-LABEL: channels:
// AVX2-NOT:       vpmullq
// AVX2-COUNT-4:   vpmuldq {{.*}}%ymm
// AVX2:           vpblendd
// AVX2-COUNT-2:   vpsravd
// AVX2-COUNT-2:   vpaddd
// AVX2-COUNT-2:   vpsrad $1
// AVX2:           vpackssdw
// AVX2:           vpackuswb
// AVX2:           jne
func.func @channels(%x: memref<64xi32>, %m: memref<64xi32>, %t: memref<64xi32>, %y: memref<64xi8>) {
  loop.for %i < 4 {
    %a = vec.load %x[%i * 16] : memref<64xi32> -> vector<16xi32>
    %b = vec.load %m[%i * 16] : memref<64xi32> -> vector<16xi32>
    %c = vec.load %t[%i * 16] : memref<64xi32> -> vector<16xi32>
    %q = int8.requantize_fixed %a by %b shift %c to <u8, 1.0, 3> : vector<16xi32>
    vec.store %q, %y[%i * 16] : vector<16xi8>, memref<64xi8>
  }
  func.return
}

// What is one number for all lanes needs no lanes of its own.
// AVX512-LABEL: whole_tensor:
// AVX512:           vpsrlq $32, %zmm
// AVX512-COUNT-2:   vpmuldq %zmm
// AVX512-NEXT:      vpermt2d %zmm
// AVX512-NEXT:      vpsrad $7, %zmm
// AVX512-NEXT:      vpaddd %zmm
// AVX512-NEXT:      vpsrad $1, %zmm
// AVX512-NEXT:      vpmovsdb %zmm
func.func @whole_tensor(%x: memref<64xi32>, %y: memref<64xi8>) {
  %b = arith.constant dense<1200000000> : vector<16xi32>
  %c = arith.constant dense<7> : vector<16xi32>
  loop.for %i < 4 {
    %a = vec.load %x[%i * 16] : memref<64xi32> -> vector<16xi32>
    %q = int8.requantize_fixed %a by %b shift %c to <s8, 1.0, -3> : vector<16xi32>
    vec.store %q, %y[%i * 16] : vector<16xi8>, memref<64xi8>
  }
  func.return
}

// A power of two is no product.
// AVX512-LABEL: shifts_alone:
// AVX512-NOT:     mul
// AVX512:         vpsrad $21, {{.*}}%zmm
// AVX512-NOT:     mul
// AVX512:         retq
func.func @shifts_alone(%x: memref<64xi32>, %y: memref<64xi8>) {
  %b = arith.constant dense<1073741824> : vector<16xi32>
  %c = arith.constant dense<19> : vector<16xi32>
  loop.for %i < 4 {
    %a = vec.load %x[%i * 16] : memref<64xi32> -> vector<16xi32>
    %q = int8.requantize_fixed %a by %b shift %c to <u8, 1.0, 3> : vector<16xi32>
    vec.store %q, %y[%i * 16] : vector<16xi8>, memref<64xi8>
  }
  func.return
}
