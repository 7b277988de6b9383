// RUN: lamina-opt %s -p int8-hoist-quantize | filecheck %s

// CHECK-LABEL: func.func @a_pair_that_means_the_same_is_gone
// CHECK-NEXT:    func.return %q
func.func @a_pair_that_means_the_same_is_gone(%q: tensor<4xi8>) -> tensor<4xi8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<-3> : tensor<1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<4xi8>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xf32>
  %y = graph.quantize %x, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xi8>
  func.return %y : tensor<4xi8>
}

// CHECK-LABEL: func.func @a_pair_of_two_meanings_stays
// CHECK:         graph.dequantize
// CHECK-NEXT:    graph.quantize
func.func @a_pair_of_two_meanings_stays(%q: tensor<4xi8>) -> tensor<4xi8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<-3> : tensor<1xi8>
  %o = graph.constant dense<0> : tensor<1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<4xi8>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xf32>
  %y = graph.quantize %x, %s, %o : (tensor<4xf32>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xi8>
  func.return %y : tensor<4xi8>
}

// 0 / 0 is no number, and so is nothing that bytes were made of.
// CHECK-LABEL: func.func @with_a_scale_of_zero_a_pair_stays
// CHECK:         graph.dequantize
// CHECK-NEXT:    graph.quantize
func.func @with_a_scale_of_zero_a_pair_stays(%q: tensor<4xi8>) -> tensor<4xi8> {
  %s = graph.constant dense<0.0> : tensor<1xf32>
  %z = graph.constant dense<0> : tensor<1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<4xi8>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xf32>
  %y = graph.quantize %x, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xi8>
  func.return %y : tensor<4xi8>
}

// CHECK-LABEL: func.func @parts_of_a_concat_are_quantized
// CHECK:         %[[A:.*]] = graph.quantize %a, %s, %z : (tensor<1x4xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x4xui8>
// CHECK-NEXT:    %[[B:.*]] = graph.quantize %b, %s, %z : (tensor<1x2xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.concat axis 1 %[[A]], %[[B]] {lamina.source = "y"} : (tensor<1x4xui8>, tensor<1x2xui8>) -> tensor<1x6xui8>
// CHECK-NEXT:    func.return %[[Y]]
func.func @parts_of_a_concat_are_quantized(%a: tensor<1x4xf32>, %b: tensor<1x2xf32>) -> tensor<1x6xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %c = graph.concat axis 1 %a, %b : (tensor<1x4xf32>, tensor<1x2xf32>) -> tensor<1x6xf32>
  %y = graph.quantize %c, %s, %z {lamina.source = "y"} : (tensor<1x6xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x6xui8>
  func.return %y : tensor<1x6xui8>
}

// CHECK-LABEL: func.func @what_others_read_stays_real
// CHECK:         %[[C:.*]] = graph.concat
// CHECK-NEXT:    graph.quantize %[[C]]
func.func @what_others_read_stays_real(%a: tensor<1x4xf32>, %b: tensor<1x2xf32>) -> (tensor<1x6xui8>, tensor<1x6xf32>) {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %c = graph.concat axis 1 %a, %b : (tensor<1x4xf32>, tensor<1x2xf32>) -> tensor<1x6xf32>
  %y = graph.quantize %c, %s, %z : (tensor<1x6xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x6xui8>
  func.return %y, %c : tensor<1x6xui8>, tensor<1x6xf32>
}

// CHECK-LABEL: func.func @bytes_are_reshaped
// CHECK:         %[[Q:.*]] = graph.quantize %x, {{.*}} -> tensor<2x3x1x1xui8>
// CHECK-NEXT:    graph.reshape %[[Q]] : tensor<2x3x1x1xui8> -> tensor<2x3xui8>
func.func @bytes_are_reshaped(%x: tensor<2x3x1x1xf32>) -> tensor<2x3xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %r = graph.reshape %x : tensor<2x3x1x1xf32> -> tensor<2x3xf32>
  %y = graph.quantize %r, %s, %z : (tensor<2x3xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x3xui8>
  func.return %y : tensor<2x3xui8>
}

// CHECK-LABEL: func.func @less_is_quantized_after_a_slice
// CHECK:         graph.slice
// CHECK-NEXT:    graph.quantize
func.func @less_is_quantized_after_a_slice(%x: tensor<2x8xf32>) -> tensor<2x3xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %r = graph.slice %x starts [0, 1] steps [1, 1] : tensor<2x8xf32> -> tensor<2x3xf32>
  %y = graph.quantize %r, %s, %z : (tensor<2x3xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x3xui8>
  func.return %y : tensor<2x3xui8>
}

// A maximum keeps a NaN, of which bytes have none: sums of integers are never that.
// CHECK-LABEL: func.func @maxima_of_numbers_are_of_bytes
// CHECK:         %[[Q:.*]] = graph.quantize {{.*}} -> tensor<1x4x8x8xui8>
// CHECK-NEXT:    graph.max_pool2d %[[Q]]
// CHECK-LABEL: func.func @maxima_of_anything_are_not
// CHECK:         graph.max_pool2d %x
// CHECK-NEXT:    graph.quantize
func.func @maxima_of_numbers_are_of_bytes(%a: tensor<1x4x8x8xi32>) -> tensor<1x4x4x4xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<0> : tensor<1x1x1x1xui8>
  %o = graph.constant dense<0> : tensor<1x1x1x1xi32>
  %x = graph.dequantize %a, %s, %o : (tensor<1x4x8x8xi32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi32>) -> tensor<1x4x8x8xf32>
  %m = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %y = graph.quantize %m, %s, %z : (tensor<1x4x4x4xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x4x4xui8>
  func.return %y : tensor<1x4x4x4xui8>
}
func.func @maxima_of_anything_are_not(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<0> : tensor<1x1x1x1xui8>
  %m = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %y = graph.quantize %m, %s, %z : (tensor<1x4x4x4xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x4x4xui8>
  func.return %y : tensor<1x4x4x4xui8>
}

// CHECK-LABEL: func.func @saturation_is_the_bound
// CHECK:         %[[Y:.*]] = graph.quantize %x, %s, %z
// CHECK-NEXT:    func.return %[[Y]]
func.func @saturation_is_the_bound(%x: tensor<4xf32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<0> : tensor<1xui8>
  %r = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.quantize %r, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y : tensor<4xui8>
}

// 6 / 0.5 + 3 is 15.
// CHECK-LABEL: func.func @bounds_of_numbers_are_bytes
// CHECK:         %[[Q:.*]] = graph.quantize {{.*}} -> tensor<4xui8>
// CHECK-NEXT:    %[[L:.*]] = graph.constant dense<3> : tensor<1xui8>
// CHECK-NEXT:    %[[A:.*]] = graph.maximum %[[Q]], %[[L]]
// CHECK-NEXT:    %[[H:.*]] = graph.constant dense<15> : tensor<1xui8>
// CHECK-NEXT:    %[[Y:.*]] = graph.minimum %[[A]], %[[H]] {lamina.source = "y"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @bounds_of_numbers_are_bytes(%a: tensor<4xi32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<3> : tensor<1xui8>
  %o = graph.constant dense<0> : tensor<1xi32>
  %x = graph.dequantize %a, %s, %o : (tensor<4xi32>, tensor<1xf32>, tensor<1xi32>) -> tensor<4xf32>
  %r = graph.clip %x between 0.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  %y = graph.quantize %r, %s, %z {lamina.source = "y"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y : tensor<4xui8>
}

// CHECK-LABEL: func.func @a_bound_that_may_meet_nan_stays
// CHECK:         graph.clip
// CHECK-NEXT:    graph.quantize
func.func @a_bound_that_may_meet_nan_stays(%x: tensor<4xf32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<3> : tensor<1xui8>
  %r = graph.clip %x between 0.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  %y = graph.quantize %r, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y : tensor<4xui8>
}
