// RUN: lamina-opt %s -p int8-sink-dequantize | filecheck %s

// CHECK-LABEL: func.func @maxima_are_of_bytes
// CHECK:         %[[M:.*]] = graph.max_pool2d %q kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xui8> -> tensor<1x4x4x4xui8>
// CHECK-NEXT:    %[[Y:.*]] = graph.dequantize %[[M]], %s, %z {lamina.source = "pool"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @maxima_are_of_bytes(%q: tensor<1x4x8x8xui8>) -> tensor<1x4x4x4xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x4x8x8xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xf32>
  %y = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] {lamina.source = "pool"} : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  func.return %y : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @by_a_scale_below_zero_the_largest_is_the_smallest
// CHECK:         graph.dequantize %q
// CHECK-NEXT:    graph.max_pool2d
func.func @by_a_scale_below_zero_the_largest_is_the_smallest(%q: tensor<1x4x8x8xui8>) -> tensor<1x4x4x4xf32> {
  %s = graph.constant dense<-0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x4x8x8xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xf32>
  %y = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  func.return %y : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @parameters_get_the_rank_of_what_was_moved
// CHECK:         %[[R:.*]] = graph.reshape %q : tensor<2x4x1x1xi8> -> tensor<2x4xi8>
// CHECK:         %[[S:.*]] = graph.reshape %s : tensor<1x1x1x1xf32> -> tensor<1x1xf32>
// CHECK:         %[[Z:.*]] = graph.constant dense<-3> : tensor<1x1xi8>
// CHECK-NEXT:    %[[Y:.*]] = graph.dequantize %[[R]], %[[S]], %[[Z]]
func.func @parameters_get_the_rank_of_what_was_moved(%q: tensor<2x4x1x1xi8>, %s: tensor<1x1x1x1xf32>) -> tensor<2x4xf32> {
  %z = graph.constant dense<-3> : tensor<1x1x1x1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<2x4x1x1xi8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<2x4x1x1xf32>
  %y = graph.reshape %x : tensor<2x4x1x1xf32> -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @scales_by_channel_stay_with_their_channels
// CHECK:         graph.dequantize %q
// CHECK-NEXT:    graph.transpose
func.func @scales_by_channel_stay_with_their_channels(%q: tensor<2x3xui8>, %s: tensor<1x3xf32>, %z: tensor<1x1xui8>) -> tensor<3x2xf32> {
  %x = graph.dequantize %q, %s, %z : (tensor<2x3xui8>, tensor<1x3xf32>, tensor<1x1xui8>) -> tensor<2x3xf32>
  %y = graph.transpose %x [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return %y : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @constants_are_moved_now
// CHECK-DAG:     %[[Q:.*]] = graph.constant dense<{{\[}}[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi8>
// CHECK-DAG:     %[[S:.*]] = graph.constant dense<{{\[}}[5.000000e-01], [2.500000e-01], [1.000000e+00]]> : tensor<3x1xf32>
// CHECK-DAG:     %[[Z:.*]] = graph.constant dense<0> : tensor<1x1xi8>
// CHECK-NEXT:    %[[Y:.*]] = graph.dequantize %[[Q]], %[[S]], %[[Z]]
// CHECK-NEXT:    func.return %[[Y]]
func.func @constants_are_moved_now() -> tensor<3x2xf32> {
  %q = graph.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %s = graph.constant dense<[[0.5, 0.25, 1.0]]> : tensor<1x3xf32>
  %z = graph.constant dense<0> : tensor<1x1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<2x3xi8>, tensor<1x3xf32>, tensor<1x1xi8>) -> tensor<2x3xf32>
  %y = graph.transpose %x [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return %y : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @scales_follow_the_dimension_that_a_reshape_keeps
// CHECK-DAG:     graph.constant dense<{{.*}}> : tensor<2x1x3xi8>
// CHECK-DAG:     graph.constant dense<{{\[}}{{\[}}[5.000000e-01, 2.500000e-01, 1.000000e+00]]]> : tensor<1x1x3xf32>
func.func @scales_follow_the_dimension_that_a_reshape_keeps() -> tensor<2x1x3xf32> {
  %q = graph.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %s = graph.constant dense<[[0.5, 0.25, 1.0]]> : tensor<1x3xf32>
  %z = graph.constant dense<0> : tensor<1x1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<2x3xi8>, tensor<1x3xf32>, tensor<1x1xi8>) -> tensor<2x3xf32>
  %y = graph.reshape %x : tensor<2x3xf32> -> tensor<2x1x3xf32>
  func.return %y : tensor<2x1x3xf32>
}

// CHECK-LABEL: func.func @a_reshape_that_mixes_channels_stays
// CHECK:         graph.dequantize
// CHECK-NEXT:    graph.reshape
func.func @a_reshape_that_mixes_channels_stays() -> tensor<3x2xf32> {
  %q = graph.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %s = graph.constant dense<[[0.5, 0.25, 1.0]]> : tensor<1x3xf32>
  %z = graph.constant dense<0> : tensor<1x1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<2x3xi8>, tensor<1x3xf32>, tensor<1x1xi8>) -> tensor<2x3xf32>
  %y = graph.reshape %x : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return %y : tensor<3x2xf32>
}

// A padding of zeros is one of zero points.
// CHECK-LABEL: func.func @a_concat_is_of_bytes_that_mean_the_same
// CHECK-DAG:     %[[C:.*]] = graph.constant dense<{{.*}}3, 5{{.*}}> : tensor<1x2xui8>
// CHECK-DAG:     %[[Y:.*]] = graph.concat axis 1 %p, %[[C]], %q : (tensor<1x4xui8>, tensor<1x2xui8>, tensor<1x1xui8>) -> tensor<1x7xui8>
// CHECK-NEXT:    graph.dequantize %[[Y]], %s, %z
func.func @a_concat_is_of_bytes_that_mean_the_same(%p: tensor<1x4xui8>, %q: tensor<1x1xui8>) -> tensor<1x7xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %c = graph.constant dense<[[0.0, 1.0]]> : tensor<1x2xf32>
  %a = graph.dequantize %p, %s, %z : (tensor<1x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x4xf32>
  %b = graph.dequantize %q, %s, %z : (tensor<1x1xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x1xf32>
  %y = graph.concat axis 1 %a, %c, %b : (tensor<1x4xf32>, tensor<1x2xf32>, tensor<1x1xf32>) -> tensor<1x7xf32>
  func.return %y : tensor<1x7xf32>
}

// CHECK-LABEL: func.func @what_bytes_cannot_say_stays_real
// CHECK:         graph.concat axis 1 {{.*}} -> tensor<1x5xf32>
func.func @what_bytes_cannot_say_stays_real(%p: tensor<1x4xui8>) -> tensor<1x5xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %c = graph.constant dense<0.75> : tensor<1x1xf32>
  %a = graph.dequantize %p, %s, %z : (tensor<1x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x4xf32>
  %y = graph.concat axis 1 %a, %c : (tensor<1x4xf32>, tensor<1x1xf32>) -> tensor<1x5xf32>
  func.return %y : tensor<1x5xf32>
}

// CHECK-LABEL: func.func @relu_is_a_maximum_with_the_zero_point
// CHECK:         %[[M:.*]] = graph.maximum %q, %z : (tensor<4xui8>, tensor<1xui8>) -> tensor<4xui8>
// CHECK-NEXT:    graph.dequantize %[[M]], %s, %z
func.func @relu_is_a_maximum_with_the_zero_point(%q: tensor<4xui8>) -> tensor<4xf32> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<3> : tensor<1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @relu_of_what_is_never_below_zero_is_gone
// CHECK:         %[[Y:.*]] = graph.dequantize %q, %s, %z
// CHECK-NEXT:    func.return %[[Y]]
func.func @relu_of_what_is_never_below_zero_is_gone(%q: tensor<4xi8>) -> tensor<4xf32> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<-128> : tensor<1xi8>
  %x = graph.dequantize %q, %s, %z : (tensor<4xi8>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xf32>
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
