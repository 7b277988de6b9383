// A quantized kernel written by hand: a 3x3 window sum of products over 16 channels of unsigned
// bytes, with signed weights in groups of 4 channels, a bias, and its own scale for every channel.
//
// RUN: lamina-opt %s -p te-schedule,te-to-loops,te-to-vec | filecheck %s
// RUN: lamina-opt %s -p te-schedule,te-to-loops,te-to-vec,int8-expand -t 'lamina-llvm{target="cpu:cascadelake"}' | filecheck %s --check-prefix=VNNI

// CHECK-LABEL: func.func private @window_sum(
// CHECK:       loop.for %oh < 8 parallel {
// CHECK:         %{{.*}} = loop.for %icm < 4, %kh < 3, %kw < 3 iter({{.*}}) : vector<16xi32> {
// CHECK-NEXT:      %[[X:.*]] = vec.load_splat %x[0, %kh + %oh, %kw + %owo * 4, %icm * 4] : memref<1x10x10x16xi8> -> vector<16x4xi8>
// CHECK-NEXT:      %[[W:.*]] = vec.load %w[%kh, %kw, %icm, 0, 0] : memref<3x3x4x16x4xi8> -> vector<16x4xi8>
// CHECK-NEXT:      int8.dot4 %{{.*}}, %[[X]], %[[W]] : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
// CHECK:         %[[S:.*]] = vec.load %scale[0] : memref<16xf32> -> vector<16xf32>
// CHECK:         %[[Q:.*]] = int8.requantize %{{.*}} by %[[S]] to <u8, 1.000000e+00, 3> : vector<16xi32>, vector<16xf32>
// CHECK:         vec.store %[[Q]], %y[0, %oh, %owo * 4, 0] : vector<16xi8>, memref<1x8x8x16xi8>

// VNNI-LABEL: define void @window_sum(
// VNNI: call <16 x i32> @llvm.x86.avx512.vpdpbusd.512(
// VNNI: sitofp <16 x i32>
// VNNI: call <16 x float> @llvm.roundeven.v16f32(
// VNNI: store <16 x i8>
func.func private @window_sum(%x: memref<1x10x10x16xi8>, %w: memref<3x3x4x16x4xi8>, %bias: memref<16xi32>, %scale: memref<16xf32>, %y: memref<1x8x8x16xi8>) {
  te.compute
    axes(oc: 16, oh: 8, ow: 8, reduce ic: 16, reduce kh: 3, reduce kw: 3)
    ins(%x[0, oh + kh, ow + kw, ic], %w[kh, kw, ic floordiv 4, oc, ic mod 4])
    extras(%bias[oc], %scale[oc])
    out(%y[0, oh, ow, oc])
    init 0 : i32
    schedule [split ic 4 icm icg, dot4 icg, split ow 4 owo owi, order oh owo icm kh kw owi oc, parallel oh, unroll owi, vector oc]
    : memref<1x10x10x16xi8>, memref<3x3x4x16x4xi8>, memref<16xi32>, memref<16xf32>, memref<1x8x8x16xi8>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    } epilogue (%v: i32, %c: i32, %f: f32) {
      %t = arith.addi %v, %c : i32
      %q = int8.requantize %t by %f to <u8, 1.0, 3> : i32, f32
      te.yield %q : i8
    }
  func.return
}
