// RUN: lamina-opt %s -p fold-batch-norm | filecheck %s

// With scale 3, variance 4 - 1/4 and epsilon 1/4, s is 3/2; the bias is (1 - 2) * 3/2 + 5.
// CHECK-LABEL: func.func @batch_norm_goes_into_the_weights_of_a_conv
// CHECK-DAG:     %[[W:.*]] = graph.constant dense<3.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-DAG:     %[[B:.*]] = graph.constant dense<3.500000e+00> : tensor<1xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %x, %[[W]] bias %[[B]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {lamina.source = "normed"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @batch_norm_goes_into_the_weights_of_a_conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = graph.constant dense<2.0> : tensor<1x1x1x1xf32>
  %b = graph.constant dense<1.0> : tensor<1xf32>
  %scale = graph.constant dense<3.0> : tensor<1xf32>
  %shift = graph.constant dense<5.0> : tensor<1xf32>
  %mean = graph.constant dense<2.0> : tensor<1xf32>
  %var = graph.constant dense<3.75> : tensor<1xf32>
  %c = graph.conv2d %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {lamina.source = "conv"} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  %n = graph.batch_norm %c, %scale, %shift, %mean, %var epsilon 0.25 {lamina.source = "normed"} : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  func.return %n : tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @batch_norm_goes_into_the_weights_of_a_dense_op
// CHECK-DAG:     %[[W:.*]] = graph.constant dense<{{\[}}[3.000000e+00, 6.000000e+00]]> : tensor<1x2xf32>
// CHECK-DAG:     %[[B:.*]] = graph.constant dense<2.000000e+00> : tensor<1xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.dense %x, %[[W]] bias %[[B]]
// CHECK-NEXT:    func.return %[[Y]]
func.func @batch_norm_goes_into_the_weights_of_a_dense_op(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w = graph.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %scale = graph.constant dense<3.0> : tensor<1xf32>
  %shift = graph.constant dense<5.0> : tensor<1xf32>
  %mean = graph.constant dense<2.0> : tensor<1xf32>
  %var = graph.constant dense<3.75> : tensor<1xf32>
  %c = graph.dense %x, %w : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  %n = graph.batch_norm %c, %scale, %shift, %mean, %var epsilon 0.25 : (tensor<1x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  func.return %n : tensor<1x1xf32>
}

// CHECK-LABEL: func.func @weights_in_the_store_are_scaled_when_needed
// CHECK-NOT:     "9f86d081884c7d65"
// CHECK:         %[[W:.*]] = graph.constant "{{[0-9a-f]+}}" : tensor<1x64x3x3xf32>
// CHECK:         graph.conv2d %x, %[[W]] bias
func.func @weights_in_the_store_are_scaled_when_needed(%x: tensor<1x64x4x4xf32>) -> tensor<1x1x2x2xf32> {
  %w = graph.constant "9f86d081884c7d65" : tensor<1x64x3x3xf32>
  %scale = graph.constant dense<3.0> : tensor<1xf32>
  %shift = graph.constant dense<5.0> : tensor<1xf32>
  %c = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x64x4x4xf32>, tensor<1x64x3x3xf32>) -> tensor<1x1x2x2xf32>
  %n = graph.batch_norm %c, %scale, %shift, %shift, %scale epsilon 0.25 : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  func.return %n : tensor<1x1x2x2xf32>
}

// CHECK-LABEL: func.func @batch_norm_elsewhere_is_a_product_and_a_sum
// CHECK-DAG:     %[[S:.*]] = graph.constant dense<1.500000e+00> : tensor<1x1x1x1xf32>
// CHECK-DAG:     %[[T:.*]] = graph.constant dense<2.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-NEXT:    %[[P:.*]] = graph.mul %x, %[[S]]
// CHECK-NEXT:    %[[Y:.*]] = graph.add %[[P]], %[[T]] {lamina.source = "normed"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @batch_norm_elsewhere_is_a_product_and_a_sum(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %scale = graph.constant dense<3.0> : tensor<1xf32>
  %shift = graph.constant dense<5.0> : tensor<1xf32>
  %mean = graph.constant dense<2.0> : tensor<1xf32>
  %var = graph.constant dense<3.75> : tensor<1xf32>
  %n = graph.batch_norm %x, %scale, %shift, %mean, %var epsilon 0.25 {lamina.source = "normed"} : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  func.return %n : tensor<1x1x4x4xf32>
}

// The conv's own value is needed too, so it cannot be changed.
// CHECK-LABEL: func.func @conv_with_another_reader_keeps_its_weights
// CHECK:         %[[C:.*]] = graph.conv2d %x, %w strides
// CHECK:         graph.mul %[[C]]
// CHECK:         func.return %[[C]]
func.func @conv_with_another_reader_keeps_its_weights(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %w = graph.constant dense<2.0> : tensor<1x1x1x1xf32>
  %p = graph.constant dense<3.0> : tensor<1xf32>
  %c = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %n = graph.batch_norm %c, %p, %p, %p, %p epsilon 0.25 : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  func.return %c, %n : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @statistics_that_are_not_known_stay
// CHECK-NEXT:    graph.batch_norm %x, %p, %p, %p, %p
func.func @statistics_that_are_not_known_stay(%x: tensor<1x1x4x4xf32>, %p: tensor<1xf32>) -> tensor<1x1x4x4xf32> {
  %n = graph.batch_norm %x, %p, %p, %p, %p epsilon 0.25 : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  func.return %n : tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @scale_and_shift_per_channel_go_into_the_weights
// CHECK-DAG:     %[[W:.*]] = graph.constant dense<{{\[+}}6.000000e+00{{\]+}}, {{\[+}}8.000000e+00{{\]+}}> : tensor<2x1x1x1xf32>
// CHECK-DAG:     %[[B:.*]] = graph.constant dense<7.000000e+00> : tensor<2xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %x, %[[W]] bias %[[B]]
// CHECK-NEXT:    func.return %[[Y]]
func.func @scale_and_shift_per_channel_go_into_the_weights(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = graph.constant dense<2.0> : tensor<2x1x1x1xf32>
  %s = graph.constant dense<[[[[3.0]], [[4.0]]]]> : tensor<1x2x1x1xf32>
  %t = graph.constant dense<7.0> : tensor<1x1x1x1xf32>
  %c = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %p = graph.mul %s, %c : (tensor<1x2x1x1xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = graph.add %p, %t : (tensor<1x2x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  func.return %y : tensor<1x2x4x4xf32>
}

// CHECK-LABEL: func.func @sum_with_an_image_is_no_bias
// CHECK:         graph.add
func.func @sum_with_an_image_is_no_bias(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %w = graph.constant dense<2.0> : tensor<1x1x1x1xf32>
  %t = graph.constant dense<7.0> : tensor<1x1x1x2xf32>
  %c = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  %y = graph.add %c, %t : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  func.return %y : tensor<1x1x1x2xf32>
}

// CHECK-LABEL: func.func @scales_and_shifts_in_a_row_are_one_of_each
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<6.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-NEXT:    %[[P:.*]] = graph.mul %x, %[[S]]
// CHECK-NEXT:    %[[T:.*]] = graph.constant dense<1.900000e+01> : tensor<1x1x1x1xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.add %[[P]], %[[T]] {lamina.source = "d"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @scales_and_shifts_in_a_row_are_one_of_each(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %two = graph.constant dense<2.0> : tensor<1x1x1x1xf32>
  %three = graph.constant dense<3.0> : tensor<1x1x1x1xf32>
  %five = graph.constant dense<5.0> : tensor<1x1x1x1xf32>
  %four = graph.constant dense<4.0> : tensor<1x1x1x1xf32>
  %a = graph.mul %x, %two : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %b = graph.add %a, %five : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %c = graph.mul %b, %three : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %d = graph.add %c, %four {lamina.source = "d"} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  func.return %d : tensor<1x1x4x4xf32>
}
