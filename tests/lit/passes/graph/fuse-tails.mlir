// RUN: lamina-opt %s -p fuse-epilogues,fuse-tails | filecheck %s

// CHECK-LABEL: func.func @pooling_joins_the_convolution
// CHECK-NEXT:    %[[Y:.*]] = graph.fused(%x, %w) ({
// CHECK:           %[[A:.*]] = graph.conv2d
// CHECK-NEXT:      %[[B:.*]] = graph.relu %[[A]]
// CHECK-NEXT:      %[[C:.*]] = graph.max_pool2d %[[B]]
// CHECK-NEXT:      graph.yield %[[C]]
// CHECK-NEXT:    }) {lamina.source = "pool"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @pooling_joins_the_convolution(%x: tensor<1x4x9x8xf32>, %w: tensor<2x4x1x1xf32>) -> tensor<1x2x4x4xf32> {
  %a = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x9x8xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x9x8xf32>
  %b = graph.relu %a {lamina.source = "relu"} : tensor<1x2x9x8xf32> -> tensor<1x2x9x8xf32>
  %y = graph.max_pool2d %b kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] {lamina.source = "pool"} : tensor<1x2x9x8xf32> -> tensor<1x2x4x4xf32>
  func.return %y : tensor<1x2x4x4xf32>
}

// CHECK-LABEL: func.func @means_and_what_follows_them_join_too
// CHECK-NEXT:    graph.fused(%x, %w, %r) ({
// CHECK:           graph.conv2d
// CHECK-NEXT:      graph.avg_pool2d
// CHECK-NEXT:      graph.add
func.func @means_and_what_follows_them_join_too(%x: tensor<1x4x9x8xf32>, %w: tensor<2x4x1x1xf32>, %r: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %a = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x9x8xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x9x8xf32>
  %b = graph.avg_pool2d %a kernel [3, 2] strides [3, 2] pads [0, 0, 0, 0] count_pads false : tensor<1x2x9x8xf32> -> tensor<1x2x3x4xf32>
  %y = graph.add %b, %r : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  func.return %y : tensor<1x2x3x4xf32>
}

// CHECK-LABEL: func.func @windows_that_meet_or_leave_the_image_stay_apart
// CHECK-NEXT:    graph.conv2d
// CHECK-NEXT:    graph.max_pool2d
// CHECK-NEXT:    graph.conv2d
// CHECK-NEXT:    graph.max_pool2d
func.func @windows_that_meet_or_leave_the_image_stay_apart(%x: tensor<1x4x9x9xf32>, %w: tensor<2x4x1x1xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x5x5xf32>) {
  %a = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x9x9xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x9x9xf32>
  %y = graph.max_pool2d %a kernel [3, 3] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x2x9x9xf32> -> tensor<1x2x4x4xf32>
  %b = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x9x9xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x9x9xf32>
  %z = graph.max_pool2d %b kernel [2, 2] strides [2, 2] pads [0, 0, 1, 1] : tensor<1x2x9x9xf32> -> tensor<1x2x5x5xf32>
  func.return %y, %z : tensor<1x2x4x4xf32>, tensor<1x2x5x5xf32>
}

// CHECK-LABEL: func.func @what_others_read_and_what_is_no_convolution_stay
// CHECK-NEXT:    graph.conv2d
// CHECK-NEXT:    graph.max_pool2d
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.max_pool2d
func.func @what_others_read_and_what_is_no_convolution_stay(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x1x1xf32>) -> (tensor<1x2x8x8xf32>, tensor<1x2x4x4xf32>, tensor<1x4x4x4xf32>) {
  %a = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x8x8xf32>
  %y = graph.max_pool2d %a kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x2x8x8xf32> -> tensor<1x2x4x4xf32>
  %b = graph.relu %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %z = graph.max_pool2d %b kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  func.return %a, %y, %z : tensor<1x2x8x8xf32>, tensor<1x2x4x4xf32>, tensor<1x4x4x4xf32>
}
