// RUN: lamina-opt %s -p propagate-layouts | filecheck %s

// CHECK-LABEL: func.func @pointwise_op_follows
// CHECK:         graph.relu %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    %[[Y:.*]] = graph.relayout
// CHECK-NEXT:    func.return %[[Y]] : tensor<1x32x4x4xf32>
func.func @pointwise_op_follows(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x4x4xf32> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %y = graph.relu %p : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32>
  func.return %y : tensor<1x32x4x4xf32>
}

// One sweep carries the layout through the whole chain; the other operand is blocked too.
// CHECK-LABEL: func.func @chain_with_a_plain_operand_follows
// CHECK:         %[[P:.*]] = graph.max_pool2d %x
// CHECK-SAME:      -> tensor<1x32x2x2xf32, #graph.layout<NCHW16c>>
// CHECK:         %[[B:.*]] = graph.relayout %b : tensor<1x32x2x2xf32> -> tensor<1x32x2x2xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    graph.add %[[P]], %[[B]]
func.func @chain_with_a_plain_operand_follows(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>, %b: tensor<1x32x2x2xf32>) -> tensor<1x32x2x2xf32> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %m = graph.max_pool2d %p kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x32x4x4xf32> -> tensor<1x32x2x2xf32>
  %y = graph.add %m, %b : (tensor<1x32x2x2xf32>, tensor<1x32x2x2xf32>) -> tensor<1x32x2x2xf32>
  func.return %y : tensor<1x32x2x2xf32>
}

// exp(0) is 1: the 12 lanes that pad the last block would no longer be zero.
// CHECK-LABEL: func.func @op_that_would_dirty_the_padding_stays
// CHECK:         graph.exp %{{.*}} : tensor<1x20x4x4xf32> -> tensor<1x20x4x4xf32>
func.func @op_that_would_dirty_the_padding_stays(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.exp %p : tensor<1x20x4x4xf32> -> tensor<1x20x4x4xf32>
  func.return %y : tensor<1x20x4x4xf32>
}

// CHECK-LABEL: func.func @clip_above_zero_stays_on_ragged_channels
// CHECK:         graph.clip %{{.*}} between 1.000000e+00 and 6.000000e+00 : tensor<1x20x4x4xf32> -> tensor<1x20x4x4xf32>
func.func @clip_above_zero_stays_on_ragged_channels(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.clip %p between 1.0 and 6.0 : tensor<1x20x4x4xf32> -> tensor<1x20x4x4xf32>
  func.return %y : tensor<1x20x4x4xf32>
}

// CHECK-LABEL: func.func @interleave_of_whole_blocks_follows
// CHECK:         graph.interleave %x {{.*}} -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
func.func @interleave_of_whole_blocks_follows(%x: tensor<1x64x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x16x8x8xf32> {
  %p = graph.relayout %x : tensor<1x64x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x64x4x4xf32>
  %y = graph.interleave %p steps [2, 2] offsets [0, 0] groups 1 : tensor<1x64x4x4xf32> -> tensor<1x16x8x8xf32>
  func.return %y : tensor<1x16x8x8xf32>
}

// A block of the result would hold elements of many blocks.
// CHECK-LABEL: func.func @interleave_inside_a_block_stays
// CHECK:         graph.interleave %{{.*}} -> tensor<1x16x8x8xf32>
func.func @interleave_inside_a_block_stays(%x: tensor<1x64x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x16x8x8xf32> {
  %p = graph.relayout %x : tensor<1x64x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x64x4x4xf32>
  %y = graph.interleave %p steps [2, 2] offsets [0, 0] groups 16 : tensor<1x64x4x4xf32> -> tensor<1x16x8x8xf32>
  func.return %y : tensor<1x16x8x8xf32>
}

// CHECK-LABEL: func.func @concat_of_whole_blocks_follows
// CHECK:         graph.concat axis 1 %x, %x : {{.*}} -> tensor<1x64x4x4xf32, #graph.layout<NCHW16c>>
func.func @concat_of_whole_blocks_follows(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x64x4x4xf32> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %y = graph.concat axis 1 %p, %p : (tensor<1x32x4x4xf32>, tensor<1x32x4x4xf32>) -> tensor<1x64x4x4xf32>
  func.return %y : tensor<1x64x4x4xf32>
}

// CHECK-LABEL: func.func @concat_inside_a_block_stays
// CHECK:         graph.concat axis 1 %{{.*}}, %{{.*}} : {{.*}} -> tensor<1x40x4x4xf32>
func.func @concat_inside_a_block_stays(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x40x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.concat axis 1 %p, %p : (tensor<1x20x4x4xf32>, tensor<1x20x4x4xf32>) -> tensor<1x40x4x4xf32>
  func.return %y : tensor<1x40x4x4xf32>
}

// The two rows that fill up the last block of height would be maxima of what lies outside.
// CHECK-LABEL: func.func @window_that_would_dirty_the_padding_stays
// CHECK:         graph.max_pool2d %{{.*}} : tensor<1x8x10x6xf32> -> tensor<1x8x5x3xf32>
func.func @window_that_would_dirty_the_padding_stays(%x: tensor<1x8x10x6xf32, #graph.layout<NCHW4h>>) -> tensor<1x8x5x3xf32> {
  %p = graph.relayout %x : tensor<1x8x10x6xf32, #graph.layout<NCHW4h>> -> tensor<1x8x10x6xf32>
  %y = graph.max_pool2d %p kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x8x10x6xf32> -> tensor<1x8x5x3xf32>
  func.return %y : tensor<1x8x5x3xf32>
}

// CHECK-LABEL: func.func @normalization_of_each_channel_follows
// CHECK:         graph.normalize %x axes [2, 3] epsilon 1.000000e-01 : {{.*}} -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
func.func @normalization_of_each_channel_follows(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.normalize %p axes [2, 3] epsilon 0.1 : tensor<1x20x4x4xf32> -> tensor<1x20x4x4xf32>
  func.return %y : tensor<1x20x4x4xf32>
}

// CHECK-LABEL: func.func @normalization_over_blocks_stays
// CHECK:         graph.normalize %{{.*}} axes [1] {{.*}} -> tensor<1x32x4x4xf32>
func.func @normalization_over_blocks_stays(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x4x4xf32> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %y = graph.normalize %p axes [1] epsilon 0.1 : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32>
  func.return %y : tensor<1x32x4x4xf32>
}
