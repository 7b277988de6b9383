// RUN: lamina-opt %s -p 'winograd-convolutions{target="cpu:znver5"}' | filecheck %s
// RUN: lamina-opt %s -p 'winograd-convolutions{target="cpu:znver5" tile=2}' | filecheck %s --check-prefix TWO
// RUN: lamina-opt %s -p 'winograd-convolutions{target="cpu:znver5" tile=3}' --verify-diagnostics | filecheck %s --check-prefix BAD

// BAD: winograd-convolutions: tile must be 2 or 4, got 3

// CHECK-LABEL: func.func @large_maps_are_computed_by_tiles_of_four
// CHECK:         %[[U:.*]] = graph.constant {{.*}} : tensor<2304x64x1x1xf32, #graph.layout<OIHW16i32o>>
// CHECK-NEXT:    %[[V:.*]] = graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x64x56x56xf32, #graph.layout<NCHW16c>> -> tensor<1x2304x14x14xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    %[[M:.*]] = graph.conv2d %[[V]], %[[U]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 36 : {{.*}} -> tensor<1x2304x14x14xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    %[[Y:.*]] = graph.winograd_output %[[M]] bias %b tile 4 {lamina.source = "c"} : {{.*}} -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    func.return %[[Y]]
func.func @large_maps_are_computed_by_tiles_of_four(%x: tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>, %b: tensor<64xf32>) -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>> {
  %w = graph.constant "9f86d081884c7d65" : tensor<64x64x3x3xf32>
  %p = graph.relayout %w : tensor<64x64x3x3xf32> -> tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>
  %y = graph.conv2d %x, %p bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 {lamina.source = "c"} : (tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>, tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>, tensor<64xf32>) -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
}

// Of 7 rows tiles of 4 compute 8, and four times as many weights would have to be read.
// CHECK-LABEL: func.func @small_maps_of_many_channels_are_computed_by_tiles_of_two
// CHECK:         graph.winograd_input %x tile 2 pads [1, 1, 1, 1] : {{.*}} -> tensor<1x8192x4x4xf32, #graph.layout<NCHW16c>>
func.func @small_maps_of_many_channels_are_computed_by_tiles_of_two(%x: tensor<1x512x7x7xf32, #graph.layout<NCHW16c>>) -> tensor<1x512x7x7xf32, #graph.layout<NCHW16c>> {
  %w = graph.constant "9f86d081884c7d65" : tensor<512x512x3x3xf32, #graph.layout<OIHW16i32o>>
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x512x7x7xf32, #graph.layout<NCHW16c>>, tensor<512x512x3x3xf32, #graph.layout<OIHW16i32o>>) -> tensor<1x512x7x7xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x512x7x7xf32, #graph.layout<NCHW16c>>
}

// Almost all of the time goes to reading weights.
// CHECK-LABEL: func.func @one_pixel_is_computed_directly
// CHECK-NOT:     graph.winograd_input
// CHECK:         graph.conv2d %x, %w
func.func @one_pixel_is_computed_directly(%x: tensor<1x512x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x512x1x1xf32, #graph.layout<NCHW16c>> {
  %w = graph.constant "9f86d081884c7d65" : tensor<512x512x3x3xf32, #graph.layout<OIHW16i32o>>
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 0, 0, 1] dilations [1, 1] groups 1 : (tensor<1x512x2x2xf32, #graph.layout<NCHW16c>>, tensor<512x512x3x3xf32, #graph.layout<OIHW16i32o>>) -> tensor<1x512x1x1xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x512x1x1xf32, #graph.layout<NCHW16c>>
}

// CHECK-LABEL: func.func @plain_maps_are_computed_directly
// CHECK-NOT:     graph.winograd_input
// CHECK:         graph.conv2d %x, %w
// TWO-LABEL: func.func @plain_maps_are_computed_directly
// TWO:         graph.constant {{.*}} : tensor<64x3x1x1xf32>
// TWO-NEXT:    graph.winograd_input %x tile 2 pads [0, 1, 0, 1] : tensor<2x3x14x14xf32> -> tensor<2x48x6x7xf32>
// TWO-NEXT:    graph.conv2d
// TWO-NEXT:    graph.winograd_output %{{.*}} tile 2 : (tensor<2x64x6x7xf32>) -> tensor<2x4x12x14xf32>
func.func @plain_maps_are_computed_directly(%x: tensor<2x3x14x14xf32>) -> tensor<2x4x12x14xf32> {
  %w = graph.constant "9f86d081884c7d65" : tensor<4x3x3x3xf32>
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 1, 0, 1] dilations [1, 1] groups 1 : (tensor<2x3x14x14xf32>, tensor<4x3x3x3xf32>) -> tensor<2x4x12x14xf32>
  func.return %y : tensor<2x4x12x14xf32>
}

// Each element of a tile has a group of its own, of whole blocks.
// TWO-LABEL: func.func @channels_fill_blocks_up
// TWO:         graph.constant {{.*}} : tensor<768x32x1x1xf32, #graph.layout<OIHW16i48o>>
// TWO-NEXT:    graph.winograd_input %x tile 2 pads [1, 1, 1, 1] : tensor<1x20x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x512x4x4xf32, #graph.layout<NCHW16c>>
// TWO-NEXT:    graph.conv2d {{.*}} groups 16 : {{.*}} -> tensor<1x768x4x4xf32, #graph.layout<NCHW16c>>
// TWO-NEXT:    graph.winograd_output {{.*}} -> tensor<1x37x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
func.func @channels_fill_blocks_up(%x: tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>) -> tensor<1x37x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>> {
  %w = graph.constant "9f86d081884c7d65" : tensor<37x20x3x3xf32>
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>, tensor<37x20x3x3xf32>) -> tensor<1x37x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
  func.return %y : tensor<1x37x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
}

// CHECK-LABEL: func.func @other_windows_are_computed_directly
// CHECK-NOT:     graph.winograd_input
// TWO-LABEL: func.func @other_windows_are_computed_directly
// TWO-NOT:     graph.winograd_input
// TWO:         func.return
func.func @other_windows_are_computed_directly(%x: tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>, %v: tensor<32x32x3x3xf32>) {
  %w = graph.constant "9f86d081884c7d65" : tensor<32x32x3x3xf32>
  %f = graph.constant "9f86d081884c7d66" : tensor<32x32x5x5xf32>
  %g = graph.constant "9f86d081884c7d67" : tensor<32x8x3x3xf32>
  %stride = graph.conv2d %x, %w strides [2, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>, tensor<32x32x3x3xf32>) -> tensor<1x32x16x32xf32, #graph.layout<NCHW16c>>
  %dilation = graph.conv2d %x, %w strides [1, 1] pads [2, 1, 2, 1] dilations [2, 1] groups 1 : (tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>, tensor<32x32x3x3xf32>) -> tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>
  %window = graph.conv2d %x, %f strides [1, 1] pads [2, 2, 2, 2] dilations [1, 1] groups 1 : (tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>, tensor<32x32x5x5xf32>) -> tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>
  %groups = graph.conv2d %x, %g strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 4 : (tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>, tensor<32x8x3x3xf32>) -> tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>
  %unknown = graph.conv2d %x, %v strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>, tensor<32x32x3x3xf32>) -> tensor<1x32x32x32xf32, #graph.layout<NCHW16c>>
  func.return
}
