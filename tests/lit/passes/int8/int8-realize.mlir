// RUN: lamina-opt %s -p int8-realize | filecheck %s

// The sums of weights are 3 and -2; of their products with the zero point 10 the bias has the
// negative; a step of the sums is worth 0.5 * 0.25 and 0.5 * 2.
// CHECK-LABEL: func.func @a_convolution_is_one_of_integers
// CHECK:         %[[W:.*]] = graph.constant dense<{{.*}}1{{.*}}2{{.*}}-5{{.*}}3{{.*}}> : tensor<2x2x1x1xi8>
// CHECK-NEXT:    %[[B:.*]] = graph.constant dense<[-23, 16]> : tensor<2xi32>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %x, %[[W]] bias %[[B]] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 10 : (tensor<1x2x4x4xui8>, tensor<2x2x1x1xi8>, tensor<2xi32>) -> tensor<1x2x6x6xi32>
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<{{.*}}1.250000e-01{{.*}}1.000000e+00{{.*}}> : tensor<1x2x1x1xf32>
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<0> : tensor<1x1x1x1xi32>
// CHECK-NEXT:    %[[R:.*]] = graph.dequantize %[[Y]], %[[S]], %[[Z]] {lamina.source = "conv"}
// CHECK-NEXT:    func.return %[[R]]
func.func @a_convolution_is_one_of_integers(%x: tensor<1x2x4x4xui8>) -> tensor<1x2x6x6xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<10> : tensor<1x1x1x1xui8>
  %a = graph.dequantize %x, %s, %z : (tensor<1x2x4x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xf32>
  %q = graph.constant dense<[[[[1]], [[2]]], [[[-5]], [[3]]]]> : tensor<2x2x1x1xi8>
  %t = graph.constant dense<[[[[0.25]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %o = graph.constant dense<0> : tensor<1x1x1x1xi8>
  %w = graph.dequantize %q, %t, %o : (tensor<2x2x1x1xi8>, tensor<2x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<2x2x1x1xf32>
  %c = graph.constant dense<[7, -4]> : tensor<2xi32>
  %u = graph.constant dense<[0.125, 1.0]> : tensor<2xf32>
  %n = graph.constant dense<0> : tensor<1xi32>
  %b = graph.dequantize %c, %u, %n : (tensor<2xi32>, tensor<2xf32>, tensor<1xi32>) -> tensor<2xf32>
  %y = graph.conv2d %a, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 {lamina.source = "conv"} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  func.return %y : tensor<1x2x6x6xf32>
}

// CHECK-LABEL: func.func @a_bias_in_other_steps_is_added_to_real_numbers
// CHECK:         %[[Y:.*]] = graph.dense %x, %{{.*}} : (tensor<3x2xi8>, tensor<1x2xi8>) -> tensor<3x1xi32>
// CHECK:         %[[R:.*]] = graph.dequantize %[[Y]]
// CHECK-NEXT:    %[[B:.*]] = graph.constant dense<7.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT:    graph.add %[[R]], %[[B]] {lamina.source = "y"}
func.func @a_bias_in_other_steps_is_added_to_real_numbers(%x: tensor<3x2xi8>) -> tensor<3x1xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<0> : tensor<1x1xi8>
  %a = graph.dequantize %x, %s, %z : (tensor<3x2xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<3x2xf32>
  %q = graph.constant dense<[[1, 2]]> : tensor<1x2xi8>
  %w = graph.dequantize %q, %s, %z : (tensor<1x2xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<1x2xf32>
  %b = graph.constant dense<7.0> : tensor<1xf32>
  %y = graph.dense %a, %w bias %b {lamina.source = "y"} : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<3x1xf32>
  func.return %y : tensor<3x1xf32>
}

// 255 - 100 is 127 and 28.
// CHECK-LABEL: func.func @differences_of_more_than_bytes_are_two_sums
// CHECK:         %[[L:.*]] = graph.constant dense<{{\[}}[-100, 127]]> : tensor<1x2xi8>
// CHECK-NEXT:    %[[B:.*]] = graph.constant dense<-54> : tensor<1xi32>
// CHECK-NEXT:    %[[A:.*]] = graph.dense %x, %[[L]] bias %[[B]]
// CHECK-NEXT:    %[[H:.*]] = graph.constant dense<{{\[}}[0, 28]]> : tensor<1x2xi8>
// CHECK-NEXT:    %[[C:.*]] = graph.constant dense<-56> : tensor<1xi32>
// CHECK-NEXT:    %[[D:.*]] = graph.dense %x, %[[H]] bias %[[C]]
// CHECK-NEXT:    %[[Y:.*]] = graph.add %[[A]], %[[D]] : (tensor<3x1xi32>, tensor<3x1xi32>) -> tensor<3x1xi32>
func.func @differences_of_more_than_bytes_are_two_sums(%x: tensor<3x2xui8>) -> tensor<3x1xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<2> : tensor<1x1xui8>
  %a = graph.dequantize %x, %s, %z : (tensor<3x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %q = graph.constant dense<[[0, 255]]> : tensor<1x2xui8>
  %o = graph.constant dense<100> : tensor<1x1xui8>
  %w = graph.dequantize %q, %s, %o : (tensor<1x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x2xf32>
  %y = graph.dense %a, %w : (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x1xf32>
  func.return %y : tensor<3x1xf32>
}

// CHECK-LABEL: func.func @a_product_with_a_known_matrix_is_a_dense_op
// CHECK:         %[[W:.*]] = graph.constant dense<{{\[}}[1, 3], [2, 4]]> : tensor<2x2xi8>
// CHECK:         graph.dense %x, %[[W]]
// CHECK-LABEL: func.func @so_is_one_of_integers
// CHECK:         %[[W:.*]] = graph.constant dense<{{\[}}[1, 3], [2, 4]]> : tensor<2x2xi8>
// CHECK-NEXT:    %[[Y:.*]] = graph.dense %x, %[[W]] : (tensor<3x2xui8>, tensor<2x2xi8>) -> tensor<3x2xi32>
// CHECK-NEXT:    func.return %[[Y]]
func.func @a_product_with_a_known_matrix_is_a_dense_op(%x: tensor<3x2xui8>) -> tensor<3x2xf32> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<2> : tensor<1x1xui8>
  %a = graph.dequantize %x, %s, %z : (tensor<3x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %q = graph.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %o = graph.constant dense<0> : tensor<1x1xi8>
  %b = graph.dequantize %q, %s, %o : (tensor<2x2xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<2x2xf32>
  %y = graph.matmul %a, %b : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  func.return %y : tensor<3x2xf32>
}
func.func @so_is_one_of_integers(%x: tensor<3x2xui8>) -> tensor<3x2xi32> {
  %q = graph.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %y = graph.matmul %x, %q : (tensor<3x2xui8>, tensor<2x2xi8>) -> tensor<3x2xi32>
  func.return %y : tensor<3x2xi32>
}

// CHECK-LABEL: func.func @a_scale_for_each_input_stays_real
// CHECK:         graph.dense {{.*}} -> tensor<3x1xf32>
func.func @a_scale_for_each_input_stays_real(%x: tensor<3x2xui8>) -> tensor<3x1xf32> {
  %s = graph.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %t = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<2> : tensor<1x1xui8>
  %a = graph.dequantize %x, %s, %z : (tensor<3x2xui8>, tensor<1x2xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %q = graph.constant dense<[[1, 2]]> : tensor<1x2xi8>
  %o = graph.constant dense<0> : tensor<1x1xi8>
  %w = graph.dequantize %q, %t, %o : (tensor<1x2xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<1x2xf32>
  %y = graph.dense %a, %w : (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x1xf32>
  func.return %y : tensor<3x1xf32>
}

// The bias is one below the largest i32, and the products add up to as much as 510.
// CHECK-LABEL: func.func @what_may_leave_i32_stays_real
// CHECK:         graph.dense {{.*}} -> tensor<3x1xf32>
func.func @what_may_leave_i32_stays_real(%x: tensor<3x1xui8>) -> tensor<3x1xf32> {
  %s = graph.constant dense<1.0> : tensor<1x1xf32>
  %z = graph.constant dense<0> : tensor<1x1xui8>
  %a = graph.dequantize %x, %s, %z : (tensor<3x1xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x1xf32>
  %q = graph.constant dense<2> : tensor<1x1xi8>
  %o = graph.constant dense<0> : tensor<1x1xi8>
  %w = graph.dequantize %q, %s, %o : (tensor<1x1xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<1x1xf32>
  %c = graph.constant dense<2147483646> : tensor<1xi32>
  %u = graph.constant dense<1.0> : tensor<1xf32>
  %n = graph.constant dense<0> : tensor<1xi32>
  %b = graph.dequantize %c, %u, %n : (tensor<1xi32>, tensor<1xf32>, tensor<1xi32>) -> tensor<1xf32>
  %y = graph.dense %a, %w bias %b : (tensor<3x1xf32>, tensor<1x1xf32>, tensor<1xf32>) -> tensor<3x1xf32>
  func.return %y : tensor<3x1xf32>
}
