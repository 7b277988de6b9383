// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:cascadelake"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:cascadelake"},vec-prefetch' -t 'lamina-asm{target="cpu:cascadelake"}' | filecheck %s --check-prefix=VNNI
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:cascadelake"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:cascadelake"},vec-prefetch' -t 'lamina-asm{target="cpu:cascadelake"}' | filecheck %s --check-prefix=STACK
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:alderlake"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:alderlake"},vec-prefetch' -t 'lamina-asm{target="cpu:alderlake"}' | filecheck %s --check-prefix=VEX
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:alderlake"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:alderlake"},vec-prefetch' -t 'lamina-asm{target="cpu:alderlake"}' | filecheck %s --check-prefix=STACK
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:haswell"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:haswell"},vec-prefetch' -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=AVX2
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:haswell"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:haswell"},vec-prefetch' -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=STACK
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:skylake-avx512"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:skylake-avx512"},vec-prefetch' -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=BW
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:skylake-avx512"},te-schedule,te-to-loops,te-to-vec,int8-expand,int8-lower-dot4{target="cpu:skylake-avx512"},vec-prefetch' -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=STACK

// Schedules chosen for bytes, down to their hot loops and to what happens to a sum before it is bytes
// again: converted, scaled, cut off, rounded, packed, each on all lanes and each once.

// VNNI-LABEL: window_and_channels:
// VNNI-COUNT-28:  vpdpbusd %zmm{{[0-9]+}}, %zmm{{[0-9]+}}, %zmm
// VNNI-NOT:       vpdpbusd
// VNNI:           jne
// VNNI:           vcvtdq2ps {{.*}}%zmm
// VNNI:           vmulps {{.*}}%zmm
// VNNI:           vmaxps {{.*}}%zmm
// VNNI:           vminps {{.*}}%zmm
// VNNI-NOT:       vrndscaleps
// VNNI:           vcvtps2dq {{.*}}%zmm
// VNNI:           vpmovdb %zmm{{[0-9]+}}, {{.*}}(%r
// VEX-LABEL:  window_and_channels:
// VEX-COUNT-14:   vpdpbusd %ymm{{[0-9]+}}, %ymm{{[0-9]+}}, %ymm
// VEX-NOT:        vpdpbusd
// VEX:            jne
// VEX:            vcvtdq2ps {{.*}}%ymm
// VEX-NOT:        vroundps
// VEX:            vcvtps2dq {{.*}}%ymm
// VEX:            vpackusdw
// VEX:            vpackuswb
// AVX2-LABEL: window_and_channels:
// AVX2-COUNT-16:  vpmaddwd {{.*}}%ymm
// AVX2-NOT:       vpmaddwd
// AVX2:           jne
// AVX2-NOT:       vroundps
// AVX2:           vcvtps2dq {{.*}}%ymm
// AVX2:           vpackusdw
// AVX2:           vpackuswb
// BW-LABEL:   window_and_channels:
// BW-COUNT-40:    vpmaddwd {{.*}}%zmm
// BW-NOT:         vpmaddwd
// BW:             jne
// BW:             vpmovdb
// STACK-LABEL: window_and_channels:
// STACK:           {{vpdpbusd|vpmaddwd}}
// STACK-NOT:       (%rsp)
// STACK:           jne
func.func @window_and_channels(%x: memref<4x58x58x16xui8>, %w: memref<2x4x3x3x4x32x4xi8>,
    %b: memref<64xi32>, %f: memref<64xf32>, %y: memref<4x56x56x16xui8>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, kh, kw, (ic mod 16) floordiv 4, oc mod 32, ic mod 4])
    extras(%b[oc], %f[oc]) out(%y[oc floordiv 16, oh, ow, oc mod 16]) init 0 : i32
    : memref<4x58x58x16xui8>, memref<2x4x3x3x4x32x4xi8>, memref<64xi32>, memref<64xf32>, memref<4x56x56x16xui8>
    (%a: i8, %c: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %cx = arith.extsi %c : i8 to i32
      %p = arith.muli %ax, %cx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    } epilogue (%v: i32, %d: i32, %g: f32) {
      %t = arith.addi %v, %d : i32
      %q = int8.requantize %t by %g to <u8, 1.0, 3> : i32, f32
      te.yield %q : i8
    }
  func.return
}

// Weights that are small enough have pairs of products in 16 bits.
// VNNI-LABEL: small_weights:
// VNNI-COUNT-24:  vpdpbusd
// AVX2-LABEL: small_weights:
// AVX2-COUNT-12:  vpmaddubsw {{.*}}%ymm
// AVX2-NOT:       vpmaddubsw
// AVX2:           jne
// BW-LABEL:   small_weights:
// BW-COUNT-24:    vpmaddubsw {{.*}}%zmm
// BW:             jne
// STACK-LABEL: small_weights:
// STACK:           {{vpdpbusd|vpmaddubsw}}
// STACK-NOT:       (%rsp)
// STACK:           jne
func.func @small_weights(%x: memref<16x14x14x16xui8>, %w: memref<8x16x4x32x4xi8>, %y: memref<16x14x14x16xi32>) {
  te.compute
    axes(oc: 256, oh: 14, ow: 14, reduce ic: 256)
    ins(%x[ic floordiv 16, oh, ow, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, (ic mod 16) floordiv 4, oc mod 32, ic mod 4])
    out(%y[oc floordiv 16, oh, ow, oc mod 16]) init 0 : i32 attributes {lamina.abs_b = 64 : i64}
    : memref<16x14x14x16xui8>, memref<8x16x4x32x4xi8>, memref<16x14x14x16xi32>
    (%a: i8, %c: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %cx = arith.extsi %c : i8 to i32
      %p = arith.muli %ax, %cx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// Where most pairs fit, one look at the weights of a step chooses for all rows; accumulators stay in
// registers.
// VNNI-LABEL: mostly_small_weights:
// VNNI-COUNT-24:  vpdpbusd
// AVX2-LABEL: mostly_small_weights:
// AVX2:           vpmaddubsw {{.*}}%ymm
// AVX2-NEXT:      vpabsw {{.*}}%ymm
// AVX2-NEXT:      vpcmpgtw {{.*}}%ymm
// AVX2-NEXT:      vpmovmskb
// AVX2-NOT:       %rsp
// AVX2:           jne
// AVX2-NOT:       %rsp
// AVX2-COUNT-10:  vpmaddubsw {{.*}}%ymm
// AVX2-NOT:       %rsp
// AVX2:           jne
// AVX2-COUNT-20:  vpmaddwd {{.*}}%ymm
// BW-LABEL:   mostly_small_weights:
// BW:             vpmaddubsw {{.*}}%zmm
// BW-NEXT:        vpabsw {{.*}}%zmm
// BW-NEXT:        vpcmpgtw {{.*}}%zmm
// BW-NEXT:        kortestd
// BW-NOT:         %rsp
// BW:             jne
// BW-NOT:         %rsp
// BW-COUNT-25:    vpmaddubsw {{.*}}%zmm
// BW-NOT:         %rsp
// BW:             jne
// BW-COUNT-50:    vpmaddwd {{.*}}%zmm
func.func @mostly_small_weights(%x: memref<16x14x14x16xui8>, %w: memref<8x16x4x32x4xi8>, %y: memref<16x14x14x16xi32>) {
  te.compute
    axes(oc: 256, oh: 14, ow: 14, reduce ic: 256)
    ins(%x[ic floordiv 16, oh, ow, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, (ic mod 16) floordiv 4, oc mod 32, ic mod 4])
    out(%y[oc floordiv 16, oh, ow, oc mod 16]) init 0 : i32 attributes {lamina.most_b = 98 : i64}
    : memref<16x14x14x16xui8>, memref<8x16x4x32x4xi8>, memref<16x14x14x16xi32>
    (%a: i8, %c: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %cx = arith.extsi %c : i8 to i32
      %p = arith.muli %ax, %cx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// The products of a window of each channel are made in lanes of 32 bits; each byte is widened once.
// VNNI-LABEL: window_of_each_channel:
// VNNI:           vpmovzxbd {{.*}}%zmm
// VNNI:           {{vpmaddwd|vpdpwssd|vpmulld}} {{.*}}%zmm
// VNNI:           vpmovdb
// VNNI:           retq
// VEX-LABEL:  window_of_each_channel:
// VEX:            vpmovzxbd {{.*}}%ymm
// VEX:            retq
// AVX2-LABEL: window_of_each_channel:
// AVX2:           vpmovzxbd {{.*}}%ymm
// AVX2:           retq
func.func @window_of_each_channel(%x: memref<4x30x30x16xui8>, %w: memref<4x3x3x16xi8>,
    %f: memref<64xf32>, %y: memref<4x28x28x16xui8>) {
  te.compute
    axes(c: 64, oh: 28, ow: 28, reduce kh: 3, reduce kw: 3)
    ins(%x[c floordiv 16, oh + kh, ow + kw, c mod 16], %w[c floordiv 16, kh, kw, c mod 16])
    extras(%f[c]) out(%y[c floordiv 16, oh, ow, c mod 16]) init 0 : i32
    : memref<4x30x30x16xui8>, memref<4x3x3x16xi8>, memref<64xf32>, memref<4x28x28x16xui8>
    (%a: i8, %c: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %cx = arith.extsi %c : i8 to i32
      %p = arith.muli %ax, %cx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    } epilogue (%v: i32, %g: f32) {
      %q = int8.requantize %v by %g to <u8, 1.0, 0> : i32, f32
      te.yield %q : i8
    }
  func.return
}

// VNNI-LABEL: largest_in_a_window:
// VNNI:           vpmaxub
// VNNI-NOT:       {{movzbl|pinsrb|pextrb}}
// VNNI:           retq
// VEX-LABEL:  largest_in_a_window:
// VEX:            vpmaxub
// VEX:            retq
// AVX2-LABEL: largest_in_a_window:
// AVX2:           vpmaxub
// AVX2:           retq
func.func @largest_in_a_window(%x: memref<4x57x57x16xui8>, %y: memref<4x28x28x16xui8>) {
  te.compute
    axes(c: 64, oh: 28, ow: 28, reduce kh: 3, reduce kw: 3)
    ins(%x[c floordiv 16, oh * 2 + kh, ow * 2 + kw, c mod 16])
    out(%y[c floordiv 16, oh, ow, c mod 16]) init 0 : i8
    : memref<4x57x57x16xui8>, memref<4x28x28x16xui8>
    (%a: i8, %acc: i8) {
      %s = arith.maxui %acc, %a : i8
      te.yield %s : i8
    }
  func.return
}

// Two images of bytes with scales of their own, added as numbers.
// VNNI-LABEL: sum_of_two_scales:
// VNNI:           vpmovzxbd {{.*}}%zmm
// VNNI:           vcvtdq2ps {{.*}}%zmm
// VNNI:           vcvtps2dq {{.*}}%zmm
// VNNI:           vpmovdb
// VNNI-NOT:       {{movzbl|pinsrb|pextrb}}
// VNNI:           retq
func.func @sum_of_two_scales(%x: memref<4096xui8>, %z: memref<4096xui8>, %y: memref<4096xui8>) {
  te.compute axes(i: 4096) ins(%x[i], %z[i]) out(%y[i]) init 0 : i8
    : memref<4096xui8>, memref<4096xui8>, memref<4096xui8> (%a: i8, %b: i8, %acc: i8) {
      %x1 = int8.dequantize %a from <u8, 0.5, 3> : i8
      %z1 = int8.dequantize %b from <u8, 0.25, 7> : i8
      %t = arith.addf %x1, %z1 : f32
      %q = int8.quantize %t to <u8, 0.75, 1> : f32
      te.yield %q : i8
    }
  func.return
}
