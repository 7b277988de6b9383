// RUN: lamina-opt %s -p select-layouts | filecheck %s

// CHECK-LABEL: func.func @channels_go_in_blocks_of_16_and_weights_in_the_order_they_are_read
// CHECK-NEXT:    %[[X:.*]] = graph.relayout %x : tensor<1x64x8x8xf32> -> tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<64x64x3x3xf32> -> tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %[[X]], %[[W]] strides
// CHECK-SAME:      -> tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    %[[Z:.*]] = graph.relayout %[[Y]] {lamina.source = "conv1"}
// CHECK-NEXT:    func.return %[[Z]] : tensor<1x64x8x8xf32>
func.func @channels_go_in_blocks_of_16_and_weights_in_the_order_they_are_read(%x: tensor<1x64x8x8xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x64x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 {lamina.source = "conv1"} : (tensor<1x64x8x8xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x8x8xf32>
  func.return %y : tensor<1x64x8x8xf32>
}

// Three channels would fill a block of 16 with zeros.
// CHECK-LABEL: func.func @few_input_channels_stay_plain
// CHECK-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<64x3x7x7xf32> -> tensor<64x3x7x7xf32, #graph.layout<OIHW32o>>
// CHECK-NEXT:    graph.conv2d %x, %[[W]]
func.func @few_input_channels_stay_plain(%x: tensor<1x3x8x8xf32>, %w: tensor<64x3x7x7xf32>) -> tensor<1x64x4x4xf32> {
  %y = graph.conv2d %x, %w strides [2, 2] pads [3, 3, 3, 3] dilations [1, 1] groups 1 : (tensor<1x3x8x8xf32>, tensor<64x3x7x7xf32>) -> tensor<1x64x4x4xf32>
  func.return %y : tensor<1x64x4x4xf32>
}

// CHECK-LABEL: func.func @depthwise_weights_follow_the_channel_block
// CHECK:         graph.relayout %w : tensor<32x1x3x3xf32> -> tensor<32x1x3x3xf32, #graph.layout<OIHW16o>>
func.func @depthwise_weights_follow_the_channel_block(%x: tensor<1x32x8x8xf32>, %w: tensor<32x1x3x3xf32>) -> tensor<1x32x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 32 : (tensor<1x32x8x8xf32>, tensor<32x1x3x3xf32>) -> tensor<1x32x8x8xf32>
  func.return %y : tensor<1x32x8x8xf32>
}

// A block of 16 must not straddle two groups of 8.
// CHECK-LABEL: func.func @groups_that_blocks_would_straddle_stay_plain
// CHECK-NEXT:    graph.conv2d %x, %w
func.func @groups_that_blocks_would_straddle_stay_plain(%x: tensor<1x32x8x8xf32>, %w: tensor<32x8x1x1xf32>) -> tensor<1x32x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 4 : (tensor<1x32x8x8xf32>, tensor<32x8x1x1xf32>) -> tensor<1x32x8x8xf32>
  func.return %y : tensor<1x32x8x8xf32>
}

// CHECK-LABEL: func.func @ragged_bias_is_padded_with_the_channels
// CHECK:         %[[B:.*]] = graph.relayout %b : tensor<20xf32> -> tensor<20xf32, #graph.layout<A16a>>
// CHECK:         bias %[[B]]
func.func @ragged_bias_is_padded_with_the_channels(%x: tensor<1x16x8x8xf32>, %w: tensor<20x16x1x1xf32>, %b: tensor<20xf32>) -> tensor<1x20x8x8xf32> {
  %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32>, tensor<20x16x1x1xf32>, tensor<20xf32>) -> tensor<1x20x8x8xf32>
  func.return %y : tensor<1x20x8x8xf32>
}

// CHECK-LABEL: func.func @matrix_is_packed_eight_vectors_wide
// CHECK-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<1000x512xf32> -> tensor<1000x512xf32, #graph.layout<AB128a>>
// CHECK-NEXT:    graph.dense %x, %[[W]]
func.func @matrix_is_packed_eight_vectors_wide(%x: tensor<1x512xf32>, %w: tensor<1000x512xf32>) -> tensor<1x1000xf32> {
  %y = graph.dense %x, %w : (tensor<1x512xf32>, tensor<1000x512xf32>) -> tensor<1x1000xf32>
  func.return %y : tensor<1x1000xf32>
}

// CHECK-LABEL: func.func @few_channels_of_one_pixel_are_blocked
// CHECK:         graph.conv2d {{.*}} -> tensor<1x5x1x1xf32, #graph.layout<NCHW16c>>
func.func @few_channels_of_one_pixel_are_blocked(%x: tensor<1x40x1x1xf32>, %w: tensor<5x40x1x1xf32>) -> tensor<1x5x1x1xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x40x1x1xf32>, tensor<5x40x1x1xf32>) -> tensor<1x5x1x1xf32>
  func.return %y : tensor<1x5x1x1xf32>
}
