// RUN: lamina-opt %s | lamina-opt | filecheck %s
// RUN: lamina-opt %s --print-op-generic | lamina-opt | filecheck %s

// CHECK-LABEL: func.func @quantize_takes_scalars_vectors_and_tensors(
// CHECK-NEXT:    %0 = int8.quantize %x to <u8, 5.000000e-01, 128> : f32
// CHECK-NEXT:    %1 = int8.quantize %v to <s8, 5.000000e-01, -3> : vector<16xf32>
// CHECK-NEXT:    %2 = int8.quantize %t to <u8, 5.000000e-01, 0> : tensor<2x3xf32>
// CHECK-NEXT:    func.return %0, %1, %2 : i8, vector<16xi8>, tensor<2x3xi8>
func.func @quantize_takes_scalars_vectors_and_tensors(%x: f32, %v: vector<16xf32>, %t: tensor<2x3xf32>) -> (i8, vector<16xi8>, tensor<2x3xi8>) {
  %0 = int8.quantize %x to <u8, 0.5, 128> : f32
  %1 = int8.quantize %v to <s8, 0.5, -3> : vector<16xf32>
  %2 = int8.quantize %t to <u8, 0.5, 0> : tensor<2x3xf32>
  func.return %0, %1, %2 : i8, vector<16xi8>, tensor<2x3xi8>
}

// CHECK-LABEL: func.func @dequantize_gives_floats(
// CHECK-NEXT:    %0 = int8.dequantize %q from <s8, 1.000000e-01, 7> : tensor<2x3xi8>
// CHECK-NEXT:    func.return %0 : tensor<2x3xf32>
func.func @dequantize_gives_floats(%q: tensor<2x3xi8>) -> tensor<2x3xf32> {
  %0 = int8.dequantize %q from <s8, 1.0e-1, 7> : tensor<2x3xi8>
  func.return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @requantize_takes_its_scale_as_a_value(
// CHECK-NEXT:    %0 = int8.requantize %a by %s to <u8, 1.000000e-01, 3> : vector<16xi32>, vector<16xf32>
// CHECK-NEXT:    %1 = int8.requantize %t by %c to <s8, 1.000000e-01, 3> : tensor<2x3x4xi32>, tensor<3x1xf32>
// CHECK-NEXT:    %2 = int8.requantize %t by %x to <s8, 1.000000e-01, 3> : tensor<2x3x4xi32>, f32
func.func @requantize_takes_its_scale_as_a_value(%a: vector<16xi32>, %s: vector<16xf32>, %t: tensor<2x3x4xi32>, %c: tensor<3x1xf32>, %x: f32) {
  %0 = int8.requantize %a by %s to <u8, 0.1, 3> : vector<16xi32>, vector<16xf32>
  %1 = int8.requantize %t by %c to <s8, 0.1, 3> : tensor<2x3x4xi32>, tensor<3x1xf32>
  %2 = int8.requantize %t by %x to <s8, 0.1, 3> : tensor<2x3x4xi32>, f32
  func.return
}

// CHECK-LABEL: func.func @fixed_point_is_a_multiplier_and_a_shift(
// CHECK-NEXT:    %0 = int8.requantize_fixed %a by %m shift %t to <u8, 1.000000e+00, 3> : vector<16xi32>
// CHECK-NEXT:    %1 = int8.requantize_fixed %x by %x shift %x to <s8, 1.000000e+00, -3> : i32
// CHECK-NEXT:    %2 = int8.requantize_fixed %u by %u shift %u to <u8, 1.000000e+00, 3> : tensor<2x3xi32>
func.func @fixed_point_is_a_multiplier_and_a_shift(%a: vector<16xi32>, %m: vector<16xi32>, %t: vector<16xi32>, %x: i32, %u: tensor<2x3xi32>) {
  %0 = int8.requantize_fixed %a by %m shift %t to <u8, 1.0, 3> : vector<16xi32>
  %1 = int8.requantize_fixed %x by %x shift %x to <s8, 1.0, -3> : i32
  %2 = int8.requantize_fixed %u by %u shift %u to <u8, 1.0, 3> : tensor<2x3xi32>
  func.return
}

// CHECK-LABEL: func.func @dot4_adds_up_groups(
// CHECK-NEXT:    %0 = int8.dot4 %v, %g, %g : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
// CHECK-NEXT:    %1 = int8.dot4 %x, %h, %h : i32, vector<4xi8>, vector<4xi8>
// CHECK-NEXT:    %2 = int8.dot4 %t, %u, %u : tensor<2xi32>, tensor<2x4xi8>, tensor<2x4xi8>
func.func @dot4_adds_up_groups(%v: vector<16xi32>, %g: vector<16x4xi8>, %x: i32, %h: vector<4xi8>, %t: tensor<2xi32>, %u: tensor<2x4xi8>) {
  %0 = int8.dot4 %v, %g, %g : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  %1 = int8.dot4 %x, %h, %h : i32, vector<4xi8>, vector<4xi8>
  %2 = int8.dot4 %t, %u, %u : tensor<2xi32>, tensor<2x4xi8>, tensor<2x4xi8>
  func.return
}

// CHECK-LABEL: func.func @pairs_of_products(
// CHECK-NEXT:    %0 = int8.maddubs %g, %h : vector<16x4xi8> -> vector<16x2xi16>
// CHECK-NEXT:    %1 = int8.madd16 %0, %p : vector<16x2xi16> -> vector<16xi32>
// CHECK-NEXT:    %2 = int8.dot4 %1, %g, %h {lamina.abs_b = 64 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
func.func @pairs_of_products(%g: vector<16x4xi8>, %h: vector<16x4xi8>, %p: vector<16x2xi16>) {
  %0 = int8.maddubs %g, %h : vector<16x4xi8> -> vector<16x2xi16>
  %1 = int8.madd16 %0, %p : vector<16x2xi16> -> vector<16xi32>
  %2 = int8.dot4 %1, %g, %h {lamina.abs_b = 64 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return
}

// CHECK-LABEL: func.func @quantized_types_stand_anywhere(
// CHECK-SAME:    %x: tensor<4x!int8.quant<u8, 2.000000e-02, 128>>
func.func @quantized_types_stand_anywhere(%x: tensor<4x!int8.quant<u8, 0.02, 128>>) {
  func.return
}
