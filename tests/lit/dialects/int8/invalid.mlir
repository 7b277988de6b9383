// RUN: lamina-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s

// CHECK: expected u8 or s8, got 'u4'
func.func @storage(%x: !int8.quant<u4, 0.5, 0>) {
  func.return
}

// -----

// CHECK: scale must be positive and finite, got -0.5
func.func @negative_scale(%x: f32) {
  %0 = int8.quantize %x to <u8, -0.5, 0> : f32
  func.return
}

// -----

// CHECK: the zero point of u8 must be in 0..255, got -1
func.func @zero_point_of_unsigned(%x: f32) {
  %0 = int8.quantize %x to <u8, 0.5, -1> : f32
  func.return
}

// -----

// CHECK: the zero point of s8 must be in -128..127, got 128
func.func @zero_point_of_signed(%x: f32) {
  %0 = int8.quantize %x to <s8, 0.5, 128> : f32
  func.return
}

// -----

// CHECK: Unexpected attribute f64
func.func @only_f32(%x: f64) {
  %0 = int8.quantize %x to <s8, 0.5, 0> : f64
  func.return
}

// -----

// CHECK: expected elements of i8, got vector<4xi32>
func.func @result_element(%x: vector<4xf32>) {
  %0 = "int8.quantize"(%x) <{to = !int8.quant<u8, 0.5, 0>}> : (vector<4xf32>) -> vector<4xi32>
  func.return
}

// -----

// CHECK: got vector<8xf32>
func.func @result_shape(%x: vector<4xf32>) {
  %0 = "int8.quantize"(%x) <{to = !int8.quant<u8, 0.5, 0>}> : (vector<4xf32>) -> vector<8xi8>
  func.return
}

// -----

// CHECK: int8.requantize: a scale of vector<8xf32> does not fit vector<4xi32>
func.func @scale_of_a_vector(%x: vector<4xi32>, %s: vector<8xf32>) {
  %0 = int8.requantize %x by %s to <u8, 0.5, 0> : vector<4xi32>, vector<8xf32>
  func.return
}

// -----

// CHECK: int8.requantize: a scale of tensor<2xf32> does not fit tensor<2x3xi32>
func.func @scale_of_a_tensor(%x: tensor<2x3xi32>, %s: tensor<2xf32>) {
  %0 = int8.requantize %x by %s to <u8, 0.5, 0> : tensor<2x3xi32>, tensor<2xf32>
  func.return
}

// -----

// CHECK: attribute vector<4xi32> expected from variable 'T', but got vector<8xi32>
func.func @multiplier_of_other_lanes(%x: vector<4xi32>, %m: vector<8xi32>) {
  %0 = "int8.requantize_fixed"(%x, %m, %x) <{to = !int8.quant<u8, 0.5, 0>}> : (vector<4xi32>, vector<8xi32>, vector<4xi32>) -> vector<4xi8>
  func.return
}

// -----

// CHECK: int8.dot4: vector<16xi32> adds up groups of type vector<16x4xi8>, got vector<64xi8>
func.func @lanes_come_first(%x: vector<16xi32>, %a: vector<64xi8>, %b: vector<16x4xi8>) {
  %0 = int8.dot4 %x, %a, %b : vector<16xi32>, vector<64xi8>, vector<16x4xi8>
  func.return
}

// -----

// CHECK: int8.maddubs: needs 4 elements in each lane, got vector<64xi8>
func.func @bytes_without_groups(%a: vector<64xi8>) {
  %0 = int8.maddubs %a, %a : vector<64xi8> -> vector<16x2xi16>
  func.return
}

// -----

// CHECK: int8.maddubs: makes vector<16x2xi16>, got vector<16x4xi16>
func.func @two_sums_a_group(%a: vector<16x4xi8>) {
  %0 = int8.maddubs %a, %a : vector<16x4xi8> -> vector<16x4xi16>
  func.return
}

// -----

// CHECK: int8.madd16: needs 2 elements in each lane, got vector<8x4xi16>
func.func @pairs_of_integers(%a: vector<8x4xi16>) {
  %0 = int8.madd16 %a, %a : vector<8x4xi16> -> vector<8xi32>
  func.return
}

// -----

// CHECK: int8.madd16: makes vector<8xi32>, got vector<16xi32>
func.func @one_sum_a_pair(%a: vector<8x2xi16>) {
  %0 = int8.madd16 %a, %a : vector<8x2xi16> -> vector<16xi32>
  func.return
}
