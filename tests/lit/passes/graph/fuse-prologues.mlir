// RUN: lamina-opt %s -p fuse-epilogues,fuse-prologues | filecheck %s

// CHECK-LABEL: func.func @what_stands_before_joins_the_convolution
// CHECK-NEXT:    %[[Y:.*]] = graph.fused(%x, %s, %t, %w) ({
// CHECK:           %[[A:.*]] = graph.mul
// CHECK-NEXT:      %[[B:.*]] = graph.add %[[A]],
// CHECK-NEXT:      %[[C:.*]] = graph.relu %[[B]]
// CHECK-NEXT:      %[[D:.*]] = graph.conv2d %[[C]],
// CHECK-NEXT:      %[[E:.*]] = graph.relu %[[D]]
// CHECK-NEXT:      graph.yield %[[E]]
// CHECK-NEXT:    }) {lamina.source = "y"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @what_stands_before_joins_the_convolution(%x: tensor<1x4x8x8xf32>, %s: tensor<1x4x1x1xf32>, %t: tensor<1x4x1x1xf32>, %w: tensor<2x4x1x1xf32>) -> tensor<1x2x8x8xf32> {
  %a = graph.mul %x, %s : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %b = graph.add %a, %t : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %c = graph.relu %b {lamina.source = "c"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %d = graph.conv2d %c, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x8x8xf32>
  %y = graph.relu %d {lamina.source = "y"} : tensor<1x2x8x8xf32> -> tensor<1x2x8x8xf32>
  func.return %y : tensor<1x2x8x8xf32>
}

// CHECK-LABEL: func.func @one_op_alone_joins_too
// CHECK-NEXT:    graph.fused(%x, %w) ({
// CHECK:           graph.relu
// CHECK-NEXT:      graph.conv2d
func.func @one_op_alone_joins_too(%x: tensor<2x4x8x8xf32>, %w: tensor<2x4x1x1xf32>) -> tensor<2x2x4x4xf32> {
  %c = graph.relu %x : tensor<2x4x8x8xf32> -> tensor<2x4x8x8xf32>
  %y = graph.conv2d %c, %w strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<2x4x8x8xf32>, tensor<2x4x1x1xf32>) -> tensor<2x2x4x4xf32>
  func.return %y : tensor<2x2x4x4xf32>
}

// A window of 3 x 3 reads rows that the block before it has, too, and zeros that relu(x + 1) has not.
// CHECK-LABEL: func.func @wide_windows_stay_apart
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.conv2d
func.func @wide_windows_stay_apart(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x3x3xf32>) -> tensor<1x2x8x8xf32> {
  %c = graph.relu %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %y = graph.conv2d %c, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x8x8xf32>
  func.return %y : tensor<1x2x8x8xf32>
}

// CHECK-LABEL: func.func @what_others_read_is_stored
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.conv2d
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.fused
func.func @what_others_read_is_stored(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x1x1xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %c = graph.relu %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %d = graph.conv2d %c, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %e = graph.relu %d : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %f = graph.conv2d %e, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %y = graph.add %f, %e : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  func.return %c, %d, %y : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}

// The kernel would have to write the zeros of a border, and of the lanes that fill the block up.
// CHECK-LABEL: func.func @halos_and_padded_blocks_stay_apart
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.conv2d
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.conv2d
func.func @halos_and_padded_blocks_stay_apart(%x: tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, %z: tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>, %w: tensor<16x16x1x1xf32>, %v: tensor<16x20x1x1xf32>) -> (tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>) {
  %c = graph.relu %x : tensor<1x16x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
  %y = graph.conv2d %c, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>, tensor<16x16x1x1xf32>) -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
  %d = graph.relu %z : tensor<1x20x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>
  %u = graph.conv2d %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>, tensor<16x20x1x1xf32>) -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
  func.return %y, %u : tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
}

// CHECK-LABEL: func.func @computed_weights_stay_apart
// CHECK-NEXT:    graph.relu
// CHECK-NEXT:    graph.conv2d
func.func @computed_weights_stay_apart(%x: tensor<1x4x8x8xf32>, %w: tensor<2x4x1x1xf32>) -> tensor<1x2x8x8xf32> {
  %v = graph.relu %w : tensor<2x4x1x1xf32> -> tensor<2x4x1x1xf32>
  %y = graph.conv2d %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x8x8xf32>
  func.return %y : tensor<1x2x8x8xf32>
}
