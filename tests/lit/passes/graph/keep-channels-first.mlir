// RUN: lamina-opt %s -p keep-channels-first | filecheck %s

// CHECK-LABEL: func.func @normalization_of_pixels_is_over_channels
// CHECK-NEXT:    %[[C:.*]] = graph.constant
// CHECK-NEXT:    %[[N:.*]] = graph.normalize %x axes [1] epsilon 1.000000e-01 : tensor<1x8x2x3xf32> -> tensor<1x8x2x3xf32>
// CHECK-NEXT:    %[[S:.*]] = graph.transpose %[[C]] [0, 3, 1, 2] : tensor<1x1x1x8xf32> -> tensor<1x8x1x1xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[N]], %[[S]]
// CHECK-NEXT:    func.return %[[Y]]
func.func @normalization_of_pixels_is_over_channels(%x: tensor<1x8x2x3xf32>) -> tensor<1x8x2x3xf32> {
  %c = graph.constant "9f86d081884c7d65" : tensor<1x1x1x8xf32>
  %t = graph.transpose %x [0, 2, 3, 1] : tensor<1x8x2x3xf32> -> tensor<1x2x3x8xf32>
  %n = graph.normalize %t axes [3] epsilon 0.1 : tensor<1x2x3x8xf32> -> tensor<1x2x3x8xf32>
  %s = graph.mul %n, %c : (tensor<1x2x3x8xf32>, tensor<1x1x1x8xf32>) -> tensor<1x2x3x8xf32>
  %y = graph.transpose %s [0, 3, 1, 2] : tensor<1x2x3x8xf32> -> tensor<1x8x2x3xf32>
  func.return %y : tensor<1x8x2x3xf32>
}

// CHECK-LABEL: func.func @product_of_pixels_is_a_convolution
// CHECK-NEXT:    %[[W:.*]] = graph.reshape %w : tensor<5x8xf32> -> tensor<5x8x1x1xf32>
// CHECK-NEXT:    %[[C:.*]] = graph.conv2d %x, %[[W]] bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
// CHECK-NEXT:    %[[Y:.*]] = graph.softmax axis 1 %[[C]]
// CHECK-NEXT:    func.return %[[Y]] : tensor<1x5x2x3xf32>
func.func @product_of_pixels_is_a_convolution(%x: tensor<1x8x2x3xf32>, %w: tensor<5x8xf32>, %b: tensor<5xf32>) -> tensor<1x5x2x3xf32> {
  %t = graph.transpose %x [0, 2, 3, 1] : tensor<1x8x2x3xf32> -> tensor<1x2x3x8xf32>
  %r = graph.reshape %t : tensor<1x2x3x8xf32> -> tensor<6x8xf32>
  %d = graph.dense %r, %w bias %b : (tensor<6x8xf32>, tensor<5x8xf32>, tensor<5xf32>) -> tensor<6x5xf32>
  %p = graph.reshape %d : tensor<6x5xf32> -> tensor<1x2x3x5xf32>
  %s = graph.softmax axis 3 %p : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
  %y = graph.transpose %s [0, 3, 1, 2] : tensor<1x2x3x5xf32> -> tensor<1x5x2x3xf32>
  func.return %y : tensor<1x5x2x3xf32>
}

// What others read with channels last is computed so.
// CHECK-LABEL: func.func @value_that_is_read_elsewhere_too_stays
// CHECK-NEXT:    graph.transpose
// CHECK-NEXT:    %[[R:.*]] = graph.relu
// CHECK-NEXT:    %[[Y:.*]] = graph.transpose %[[R]]
// CHECK-NEXT:    func.return %[[R]], %[[Y]]
func.func @value_that_is_read_elsewhere_too_stays(%x: tensor<1x8x2x3xf32>) -> (tensor<1x2x3x8xf32>, tensor<1x8x2x3xf32>) {
  %t = graph.transpose %x [0, 2, 3, 1] : tensor<1x8x2x3xf32> -> tensor<1x2x3x8xf32>
  %r = graph.relu %t : tensor<1x2x3x8xf32> -> tensor<1x2x3x8xf32>
  %y = graph.transpose %r [0, 3, 1, 2] : tensor<1x2x3x8xf32> -> tensor<1x8x2x3xf32>
  func.return %r, %y : tensor<1x2x3x8xf32>, tensor<1x8x2x3xf32>
}

// There is no transpose to save before %b.
// CHECK-LABEL: func.func @sum_with_what_comes_channels_last_stays
// CHECK-NEXT:    graph.transpose
// CHECK-NEXT:    graph.add
// CHECK-NEXT:    graph.transpose
func.func @sum_with_what_comes_channels_last_stays(%x: tensor<1x8x2x3xf32>, %b: tensor<1x2x3x8xf32>) -> tensor<1x8x2x3xf32> {
  %t = graph.transpose %x [0, 2, 3, 1] : tensor<1x8x2x3xf32> -> tensor<1x2x3x8xf32>
  %s = graph.add %t, %b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %y = graph.transpose %s [0, 3, 1, 2] : tensor<1x2x3x8xf32> -> tensor<1x8x2x3xf32>
  func.return %y : tensor<1x8x2x3xf32>
}
