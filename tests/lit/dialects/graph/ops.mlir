// RUN: lamina-opt %s | filecheck %s
// RUN: lamina-opt %s --print-op-generic | lamina-opt | filecheck %s

// CHECK-LABEL: func.func @constants_are_keys_or_numbers
// CHECK-NEXT:    graph.constant "9f86d081884c7d65" : tensor<64x3x7x7xf32> {lamina.source = "w"}
// CHECK-NEXT:    graph.constant dense<[1.000000e+00, 2.500000e+00]> : tensor<2xf32>
// CHECK-NEXT:    graph.constant dense<3> : tensor<2xi64> {lamina.source = "shape"}
func.func @constants_are_keys_or_numbers() {
  %w = graph.constant "9f86d081884c7d65" : tensor<64x3x7x7xf32> {lamina.source = "w"}
  %c = graph.constant dense<[1.0, 2.5]> : tensor<2xf32>
  %s = graph.constant dense<3> : tensor<2xi64> {lamina.source = "shape"}
  func.return
}

// CHECK-LABEL: func.func @layout_is_the_encoding_of_the_type
// CHECK-SAME:    (%x: tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>)
// CHECK-NEXT:    graph.relayout %x : tensor<1x64x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x64x8x8xf32>
// CHECK-NEXT:    graph.relayout %x : tensor<1x64x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x64x8x8xf32, #graph.layout<NHWC, halo [1:1, 0:2]>>
func.func @layout_is_the_encoding_of_the_type(%x: tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>) {
  %a = graph.relayout %x : tensor<1x64x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x64x8x8xf32>
  %b = graph.relayout %x : tensor<1x64x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x64x8x8xf32, #graph.layout<NHWC, halo [1:1, 0:2]>>
  func.return
}

// CHECK-LABEL: func.func @empty_halo_is_not_written
// CHECK-SAME:    tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
func.func @empty_halo_is_not_written(%x: tensor<1x16x8x8xf32, #graph.layout<NCHW16c, halo [0:0, 0:0]>>) {
  func.return
}

// CHECK-LABEL: func.func @convolutions
// CHECK-NEXT:    graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
// CHECK-NEXT:    graph.conv2d %x, %d bias %b strides [2, 1] pads [1, 0, 2, 0] dilations [1, 2] groups 4 {lamina.source = "c"} : (tensor<1x4x8x8xf32>, tensor<8x1x3x3xf32>, tensor<8xf32>) -> tensor<1x8x5x4xf32>
func.func @convolutions(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %d: tensor<8x1x3x3xf32>, %b: tensor<8xf32>) {
  %0 = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  %1 = graph.conv2d %x, %d bias %b strides [2, 1] pads [1, 0, 2, 0] dilations [1, 2] groups 4 {lamina.source = "c"} : (tensor<1x4x8x8xf32>, tensor<8x1x3x3xf32>, tensor<8xf32>) -> tensor<1x8x5x4xf32>
  func.return
}

// CHECK-LABEL: func.func @windows
// CHECK-NEXT:    graph.max_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
// CHECK-NEXT:    graph.avg_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] count_pads true : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
// CHECK-NEXT:    graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] count_pads false : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
// CHECK-NEXT:    graph.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
func.func @windows(%x: tensor<1x4x8x8xf32>) {
  %0 = graph.max_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %1 = graph.avg_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] count_pads true : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %2 = graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] count_pads false : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %3 = graph.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  func.return
}

// CHECK-LABEL: func.func @taps_apart
// CHECK-NEXT:    graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x6xf32>
// CHECK-NEXT:    graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 2] count_pads true : tensor<1x4x8x8xf32> -> tensor<1x4x6x4xf32>
func.func @taps_apart(%x: tensor<1x4x8x8xf32>) {
  %0 = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x6xf32>
  %1 = graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 2] count_pads true : tensor<1x4x8x8xf32> -> tensor<1x4x6x4xf32>
  func.return
}

// CHECK-LABEL: func.func @interleaved
// CHECK-NEXT:    graph.interleave %x steps [2, 2] offsets [1, 0] groups 2 {lamina.source = "up"} : tensor<1x16x4x4xf32> -> tensor<1x4x7x8xf32>
func.func @interleaved(%x: tensor<1x16x4x4xf32>) {
  %0 = graph.interleave %x steps [2, 2] offsets [1, 0] groups 2 {lamina.source = "up"} : tensor<1x16x4x4xf32> -> tensor<1x4x7x8xf32>
  func.return
}

// CHECK-LABEL: func.func @batch_norm
// CHECK-NEXT:    graph.batch_norm %x, %p, %p, %p, %p epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
func.func @batch_norm(%x: tensor<1x4x8x8xf32>, %p: tensor<4xf32>) {
  %0 = graph.batch_norm %x, %p, %p, %p, %p epsilon 1.0e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  func.return
}

// CHECK-LABEL: func.func @rows
// CHECK-NEXT:    %[[D:.*]] = graph.dense %x, %w : (tensor<2x8xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.dense %x, %w bias %b : (tensor<2x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.softmax axis 1 %[[D]] : tensor<2x4xf32> -> tensor<2x4xf32>
func.func @rows(%x: tensor<2x8xf32>, %w: tensor<4x8xf32>, %b: tensor<4xf32>) {
  %0 = graph.dense %x, %w : (tensor<2x8xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  %1 = graph.dense %x, %w bias %b : (tensor<2x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %2 = graph.softmax axis 1 %0 : tensor<2x4xf32> -> tensor<2x4xf32>
  func.return
}

// CHECK-LABEL: func.func @products_of_matrices
// CHECK-NEXT:    graph.matmul %a, %b : (tensor<2x3x4x5xf32>, tensor<1x3x5x6xf32>) -> tensor<2x3x4x6xf32>
// CHECK-NEXT:    graph.matmul %c, %d {lamina.source = "m"} : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
func.func @products_of_matrices(%a: tensor<2x3x4x5xf32>, %b: tensor<1x3x5x6xf32>, %c: tensor<4x5xf32>, %d: tensor<5x6xf32>) {
  %0 = graph.matmul %a, %b : (tensor<2x3x4x5xf32>, tensor<1x3x5x6xf32>) -> tensor<2x3x4x6xf32>
  %1 = graph.matmul %c, %d {lamina.source = "m"} : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  func.return
}

// CHECK-LABEL: func.func @normalizations
// CHECK-NEXT:    graph.normalize %x axes [2, 3] epsilon 1.000000e-05 : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
// CHECK-NEXT:    graph.log_softmax axis 1 %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
func.func @normalizations(%x: tensor<1x4x8x8xf32>) {
  %0 = graph.normalize %x axes [2, 3] epsilon 1.0e-05 : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %1 = graph.log_softmax axis 1 %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  func.return
}

// CHECK-LABEL: func.func @one_operand
// CHECK-NEXT:    graph.relu %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.tanh %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.exp %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.erf %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.sqrt %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.clip %x between 0.000000e+00 and 6.000000e+00 : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.clip %x between -inf and -1.500000e+00 : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.clip %x between 1.000000e-01 and inf {lamina.source = "c"} : tensor<4xf32> -> tensor<4xf32>
func.func @one_operand(%x: tensor<4xf32>) {
  %0 = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %1 = graph.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
  %2 = graph.tanh %x : tensor<4xf32> -> tensor<4xf32>
  %3 = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
  %4 = graph.erf %x : tensor<4xf32> -> tensor<4xf32>
  %5 = graph.sqrt %x : tensor<4xf32> -> tensor<4xf32>
  %6 = graph.clip %x between 0.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  %7 = graph.clip %x between -inf and -1.5 : tensor<4xf32> -> tensor<4xf32>
  %8 = graph.clip %x between 0.1 and inf {lamina.source = "c"} : tensor<4xf32> -> tensor<4xf32>
  func.return
}

// CHECK-LABEL: func.func @two_operands_broadcast
// CHECK-NEXT:    graph.add %x, %y : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.sub %y, %x : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.mul %y, %z : (tensor<1x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.div %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.maximum %x, %y : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    graph.minimum %x, %y {lamina.source = "m"} : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
func.func @two_operands_broadcast(%x: tensor<2x4xf32>, %y: tensor<1x4xf32>, %z: tensor<2x1xf32>) {
  %0 = graph.add %x, %y : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  %1 = graph.sub %y, %x : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %2 = graph.mul %y, %z : (tensor<1x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %3 = graph.div %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %4 = graph.maximum %x, %y : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  %5 = graph.minimum %x, %y {lamina.source = "m"} : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  func.return
}

// CHECK-LABEL: func.func @movement
// CHECK-NEXT:    graph.concat axis 1 %x, %y, %x : (tensor<2x4xf32>, tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x11xf32>
// CHECK-NEXT:    graph.concat axis 0 in_place %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
// CHECK-NEXT:    graph.slice %x starts [1, 0] steps [1, 1] in_place : tensor<2x4xf32> -> tensor<1x4xf32>
// CHECK-NEXT:    graph.reshape %x : tensor<2x4xf32> -> tensor<8xf32>
// CHECK-NEXT:    graph.transpose %x [1, 0] : tensor<2x4xf32> -> tensor<4x2xf32>
func.func @movement(%x: tensor<2x4xf32>, %y: tensor<2x3xf32>) {
  %0 = graph.concat axis 1 %x, %y, %x : (tensor<2x4xf32>, tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x11xf32>
  %3 = graph.concat axis 0 in_place %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  %4 = graph.slice %x starts [1, 0] steps [1, 1] in_place : tensor<2x4xf32> -> tensor<1x4xf32>
  %1 = graph.reshape %x : tensor<2x4xf32> -> tensor<8xf32>
  %2 = graph.transpose %x [1, 0] : tensor<2x4xf32> -> tensor<4x2xf32>
  func.return
}

// CHECK-LABEL: func.func @fused_ops_yield_several_values
// CHECK-NEXT:    %{{.*}}, %{{.*}} = graph.fused(%x, %x) ({
// CHECK-NEXT:    ^{{.*}}(%[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<4xf32>):
// CHECK-NEXT:      %[[R:.*]] = graph.relu %[[A]]
// CHECK-NEXT:      graph.yield %[[R]], %[[B]] : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT:    }) {lamina.source = "f"} : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
func.func @fused_ops_yield_several_values(%x: tensor<4xf32>) {
  %0, %1 = graph.fused(%x, %x) ({
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>):
    %r = graph.relu %a : tensor<4xf32> -> tensor<4xf32>
    graph.yield %r, %b : tensor<4xf32>, tensor<4xf32>
  }) {lamina.source = "f"} : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  func.return
}

// CHECK-LABEL: func.func @functions_of_numbers
// CHECK-NEXT:    graph.abs %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.neg %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.floor %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.ceil %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.round %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.log %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.log1p %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.expm1 %x : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT:    graph.pow %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @functions_of_numbers(%x: tensor<4xf32>) {
  %0 = graph.abs %x : tensor<4xf32> -> tensor<4xf32>
  %1 = graph.neg %x : tensor<4xf32> -> tensor<4xf32>
  %2 = graph.floor %x : tensor<4xf32> -> tensor<4xf32>
  %3 = graph.ceil %x : tensor<4xf32> -> tensor<4xf32>
  %4 = graph.round %x : tensor<4xf32> -> tensor<4xf32>
  %5 = graph.log %x : tensor<4xf32> -> tensor<4xf32>
  %6 = graph.log1p %x : tensor<4xf32> -> tensor<4xf32>
  %7 = graph.expm1 %x : tensor<4xf32> -> tensor<4xf32>
  %8 = graph.pow %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// CHECK-LABEL: func.func @elements_are_taken
// CHECK-NEXT:    graph.slice %x starts [0, 63, 1, 7] steps [1, -2, 1, -1] : tensor<1x64x8x8xf32> -> tensor<1x32x4x8xf32>
// CHECK-NEXT:    graph.gather axis 2 [2, 1, 0, 1, 2] %x : tensor<1x64x8x8xf32> -> tensor<1x64x5x8xf32>
// CHECK-NEXT:    graph.tile %x : tensor<1x64x8x8xf32> -> tensor<3x64x8x16xf32>
func.func @elements_are_taken(%x: tensor<1x64x8x8xf32>) {
  %0 = graph.slice %x starts [0, 63, 1, 7] steps [1, -2, 1, -1] : tensor<1x64x8x8xf32> -> tensor<1x32x4x8xf32>
  %1 = graph.gather axis 2 [2, 1, 0, 1, 2] %x : tensor<1x64x8x8xf32> -> tensor<1x64x5x8xf32>
  %2 = graph.tile %x : tensor<1x64x8x8xf32> -> tensor<3x64x8x16xf32>
  func.return
}

// CHECK-LABEL: func.func @depth_and_space
// CHECK-NEXT:    graph.depth_to_space %x block 2 order "dcr" : tensor<1x64x8x8xf32> -> tensor<1x16x16x16xf32>
// CHECK-NEXT:    graph.depth_to_space %x block 4 order "crd" {lamina.source = "d"} : tensor<1x64x8x8xf32> -> tensor<1x4x32x32xf32>
// CHECK-NEXT:    graph.space_to_depth %x block 2 order "dcr" : tensor<1x64x8x8xf32> -> tensor<1x256x4x4xf32>
func.func @depth_and_space(%x: tensor<1x64x8x8xf32>) {
  %0 = graph.depth_to_space %x block 2 order "dcr" : tensor<1x64x8x8xf32> -> tensor<1x16x16x16xf32>
  %1 = graph.depth_to_space %x block 4 order "crd" {lamina.source = "d"} : tensor<1x64x8x8xf32> -> tensor<1x4x32x32xf32>
  %2 = graph.space_to_depth %x block 2 order "dcr" : tensor<1x64x8x8xf32> -> tensor<1x256x4x4xf32>
  func.return
}

// CHECK-LABEL: func.func @elements_are_repeated_and_resampled
// CHECK-NEXT:    graph.repeat %x : tensor<1x4x8x8xf32> -> tensor<1x4x16x24xf32>
// CHECK-NEXT:    graph.resample %x over [2] at(%i : tensor<5x1xi32>) : tensor<1x4x8x8xf32> -> tensor<1x4x5x8xf32>
// CHECK-NEXT:    graph.resample %x over [2, 3] at(%i, %j : tensor<5x1xi32>, tensor<7x2xi32>) weights(%v, %w : tensor<5x1xf32>, tensor<7x2xf32>) {lamina.source = "r"} : tensor<1x4x8x8xf32> -> tensor<1x4x5x7xf32>
func.func @elements_are_repeated_and_resampled(%x: tensor<1x4x8x8xf32>, %i: tensor<5x1xi32>, %j: tensor<7x2xi32>, %v: tensor<5x1xf32>, %w: tensor<7x2xf32>) {
  %0 = graph.repeat %x : tensor<1x4x8x8xf32> -> tensor<1x4x16x24xf32>
  %1 = graph.resample %x over [2] at(%i : tensor<5x1xi32>) : tensor<1x4x8x8xf32> -> tensor<1x4x5x8xf32>
  %2 = graph.resample %x over [2, 3] at(%i, %j : tensor<5x1xi32>, tensor<7x2xi32>) weights(%v, %w : tensor<5x1xf32>, tensor<7x2xf32>) {lamina.source = "r"} : tensor<1x4x8x8xf32> -> tensor<1x4x5x7xf32>
  func.return
}

// CHECK-LABEL: func.func @pixels_are_sampled
// CHECK-NEXT:    graph.sample %x at(%i, %j : tensor<2x1x5x7xi32>, tensor<1x1x5x7xi32>) weights(%v, %w : tensor<2x1x5x7xf32>, tensor<1x1x5x7xf32>) : tensor<1x3x8x8xf32> -> tensor<1x3x5x7xf32>
// CHECK-NEXT:    graph.sample %x at(%i, %j : tensor<2x1x5x7xi32>, tensor<1x1x5x7xi32>) {lamina.source = "s"} : tensor<1x3x8x8xf32> -> tensor<1x3x5x7xf32>
// CHECK-NEXT:    graph.sample %b at(%j, %j : tensor<1x1x5x7xi32>, tensor<1x1x5x7xi32>) : tensor<1x3x8x8xui8> -> tensor<1x3x5x7xui8>
func.func @pixels_are_sampled(%x: tensor<1x3x8x8xf32>, %b: tensor<1x3x8x8xui8>, %i: tensor<2x1x5x7xi32>, %j: tensor<1x1x5x7xi32>, %v: tensor<2x1x5x7xf32>, %w: tensor<1x1x5x7xf32>) {
  %0 = graph.sample %x at(%i, %j : tensor<2x1x5x7xi32>, tensor<1x1x5x7xi32>) weights(%v, %w : tensor<2x1x5x7xf32>, tensor<1x1x5x7xf32>) : tensor<1x3x8x8xf32> -> tensor<1x3x5x7xf32>
  %1 = graph.sample %x at(%i, %j : tensor<2x1x5x7xi32>, tensor<1x1x5x7xi32>) {lamina.source = "s"} : tensor<1x3x8x8xf32> -> tensor<1x3x5x7xf32>
  %2 = graph.sample %b at(%j, %j : tensor<1x1x5x7xi32>, tensor<1x1x5x7xi32>) : tensor<1x3x8x8xui8> -> tensor<1x3x5x7xui8>
  func.return
}

// CHECK-LABEL: func.func @dimensions_are_reduced
// CHECK-NEXT:    graph.reduce "sum" %x over [2, 3] : tensor<1x64x8x8xf32> -> tensor<1x64x1x1xf32>
// CHECK-NEXT:    graph.reduce "sum_square" %x over [1] : tensor<1x64x8x8xf32> -> tensor<1x1x8x8xf32>
func.func @dimensions_are_reduced(%x: tensor<1x64x8x8xf32>) {
  %0 = graph.reduce "sum" %x over [2, 3] : tensor<1x64x8x8xf32> -> tensor<1x64x1x1xf32>
  %1 = graph.reduce "sum_square" %x over [1] : tensor<1x64x8x8xf32> -> tensor<1x1x8x8xf32>
  func.return
}

// CHECK-LABEL: func.func @elements_of_other_types_are_moved
// CHECK-NEXT:    graph.transpose %x [1, 0] : tensor<2x3xi1> -> tensor<3x2xi1>
// CHECK-NEXT:    graph.tile %u : tensor<4xui8> -> tensor<8xui8>
// CHECK-NEXT:    graph.constant dense<[true, false]> : tensor<2xi1>
// CHECK-NEXT:    graph.constant dense<[0, 255]> : tensor<2xui8>
func.func @elements_of_other_types_are_moved(%x: tensor<2x3xi1>, %u: tensor<4xui8>) {
  %0 = graph.transpose %x [1, 0] : tensor<2x3xi1> -> tensor<3x2xi1>
  %1 = graph.tile %u : tensor<4xui8> -> tensor<8xui8>
  %2 = graph.constant dense<[true, false]> : tensor<2xi1>
  %3 = graph.constant dense<[0, 255]> : tensor<2xui8>
  func.return
}

// CHECK-LABEL: func.func @elements_are_compared_and_chosen
// CHECK-NEXT:    %0 = graph.compare "lt" %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT:    %1 = graph.compare "ne" %c, %0 : (tensor<1x3xi1>, tensor<2x3xi1>) -> tensor<2x3xi1>
// CHECK-NEXT:    %2 = graph.where %c, %x, %x : (tensor<1x3xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT:    %3 = graph.and %0, %c : (tensor<2x3xi1>, tensor<1x3xi1>) -> tensor<2x3xi1>
// CHECK-NEXT:    %4 = graph.or %u, %u : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
// CHECK-NEXT:    %5 = graph.xor %0, %c : (tensor<2x3xi1>, tensor<1x3xi1>) -> tensor<2x3xi1>
// CHECK-NEXT:    %6 = graph.not %c : tensor<1x3xi1> -> tensor<1x3xi1>
// CHECK-NEXT:    %7 = graph.cast %u : tensor<4xui8> -> tensor<4xf32>
// CHECK-NEXT:    %8 = graph.sign %x : tensor<2x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:    %9 = graph.rem %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT:    %10 = graph.mod %u, %u : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
// CHECK-NEXT:    %11 = graph.fma %x, %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
func.func @elements_are_compared_and_chosen(%x: tensor<2x3xf32>, %c: tensor<1x3xi1>, %u: tensor<4xui8>) {
  %0 = graph.compare "lt" %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %1 = graph.compare "ne" %c, %0 : (tensor<1x3xi1>, tensor<2x3xi1>) -> tensor<2x3xi1>
  %2 = graph.where %c, %x, %x : (tensor<1x3xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = graph.and %0, %c : (tensor<2x3xi1>, tensor<1x3xi1>) -> tensor<2x3xi1>
  %4 = graph.or %u, %u : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %5 = graph.xor %0, %c : (tensor<2x3xi1>, tensor<1x3xi1>) -> tensor<2x3xi1>
  %6 = graph.not %c : tensor<1x3xi1> -> tensor<1x3xi1>
  %7 = graph.cast %u : tensor<4xui8> -> tensor<4xf32>
  %8 = graph.sign %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %9 = graph.rem %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %10 = graph.mod %u, %u : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %11 = graph.fma %x, %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}

// CHECK-LABEL: func.func @places_are_a_tensor
// CHECK-NEXT:    graph.take axis 1 %x at %i : tensor<2x3xui8>, tensor<4xi64> -> tensor<2x4xui8>
// CHECK-NEXT:    graph.take_along axis 1 %x at %j : tensor<2x3xui8>, tensor<1x5xi32> -> tensor<1x5xui8>
func.func @places_are_a_tensor(%x: tensor<2x3xui8>, %i: tensor<4xi64>, %j: tensor<1x5xi32>) {
  %0 = graph.take axis 1 %x at %i : tensor<2x3xui8>, tensor<4xi64> -> tensor<2x4xui8>
  %1 = graph.take_along axis 1 %x at %j : tensor<2x3xui8>, tensor<1x5xi32> -> tensor<1x5xui8>
  func.return
}

// CHECK-LABEL: func.func @tiles
// CHECK-NEXT:    graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x8x14x9xf32> -> tensor<1x288x4x3xf32>
// CHECK-NEXT:    graph.winograd_input %x tile 2 pads [0, 1, 2, 0] : tensor<1x8x14x9xf32> -> tensor<1x256x7x4xf32>
// CHECK-NEXT:    graph.winograd_output %u tile 4 : (tensor<1x288x4x3xf32>) -> tensor<1x5x14x9xf32>
// CHECK-NEXT:    graph.winograd_output %u bias %b tile 4 {lamina.source = "c"} : (tensor<1x288x4x3xf32>, tensor<8xf32>) -> tensor<1x8x13x12xf32>
func.func @tiles(%x: tensor<1x8x14x9xf32>, %u: tensor<1x288x4x3xf32>, %b: tensor<8xf32>) {
  %0 = graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x8x14x9xf32> -> tensor<1x288x4x3xf32>
  %1 = graph.winograd_input %x tile 2 pads [0, 1, 2, 0] : tensor<1x8x14x9xf32> -> tensor<1x256x7x4xf32>
  %2 = graph.winograd_output %u tile 4 : (tensor<1x288x4x3xf32>) -> tensor<1x5x14x9xf32>
  %3 = graph.winograd_output %u bias %b tile 4 {lamina.source = "c"} : (tensor<1x288x4x3xf32>, tensor<8xf32>) -> tensor<1x8x13x12xf32>
  func.return
}

// CHECK-LABEL: func.func @integers_stand_for_numbers
// CHECK-NEXT:    graph.quantize %x, %s, %z : (tensor<1x4x2x2xf32>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x2x2xui8>
// CHECK-NEXT:    graph.quantize %i, %s, %n : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x4x2x2xi8>
// CHECK-NEXT:    graph.requantize %i, %s, %z : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x2x2xui8>
// CHECK-NEXT:    graph.dequantize %z, %s, %z : (tensor<1x1x1x1xui8>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x1x1xf32>
// CHECK-NEXT:    graph.dequantize %i, %s, %i : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xf32>, tensor<1x4x2x2xi32>) -> tensor<1x4x2x2xf32>
func.func @integers_stand_for_numbers(%x: tensor<1x4x2x2xf32>, %i: tensor<1x4x2x2xi32>, %s: tensor<1x4x1x1xf32>, %z: tensor<1x1x1x1xui8>, %n: tensor<1x1x1x1xi8>) {
  %0 = graph.quantize %x, %s, %z : (tensor<1x4x2x2xf32>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x2x2xui8>
  %1 = graph.quantize %i, %s, %n : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x4x2x2xi8>
  %2 = graph.requantize %i, %s, %z : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x2x2xui8>
  %3 = graph.dequantize %z, %s, %z : (tensor<1x1x1x1xui8>, tensor<1x4x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x1x1xf32>
  %4 = graph.dequantize %i, %s, %i : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xf32>, tensor<1x4x2x2xi32>) -> tensor<1x4x2x2xf32>
  func.return
}

// CHECK-LABEL: func.func @fixed_point_is_a_multiplier_and_a_shift
// CHECK-NEXT:    graph.requantize_fixed %x, %m, %t zero 128 : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xi32>, tensor<1x1x1x1xi32>) -> tensor<1x4x2x2xui8>
// CHECK-NEXT:    graph.requantize_fixed %x, %m, %t zero -128 : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xi32>, tensor<1x1x1x1xi32>) -> tensor<1x4x2x2xi8>
func.func @fixed_point_is_a_multiplier_and_a_shift(%x: tensor<1x4x2x2xi32>, %m: tensor<1x4x1x1xi32>, %t: tensor<1x1x1x1xi32>) {
  %0 = graph.requantize_fixed %x, %m, %t zero 128 : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xi32>, tensor<1x1x1x1xi32>) -> tensor<1x4x2x2xui8>
  %1 = graph.requantize_fixed %x, %m, %t zero -128 : (tensor<1x4x2x2xi32>, tensor<1x4x1x1xi32>, tensor<1x1x1x1xi32>) -> tensor<1x4x2x2xi8>
  func.return
}

// CHECK-LABEL: func.func @sums_of_products_of_integers
// CHECK-SAME:    tensor<1x4x8x8xui8, #graph.layout<NCHW4c, halo [1:1, 1:1] of 128>>
// CHECK-NEXT:    graph.conv2d %x, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 128 : {{.*}} -> tensor<1x8x8x8xi32>
// CHECK-NEXT:    graph.conv2d %s, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 fill -3 : {{.*}} -> tensor<1x8x6x6xi32>
// CHECK-NEXT:    graph.dense %a, %m bias %b : (tensor<2x4xui8>, tensor<8x4xi8>, tensor<8xi32>) -> tensor<2x8xi32>
// CHECK-NEXT:    graph.matmul %m, %i : (tensor<8x4xi8>, tensor<4x2xi32>) -> tensor<8x2xi32>
func.func @sums_of_products_of_integers(%x: tensor<1x4x8x8xui8, #graph.layout<NCHW4c, halo [1:1, 1:1] of 128>>, %s: tensor<1x4x8x8xi8>, %w: tensor<8x4x3x3xi8>, %b: tensor<8xi32>, %a: tensor<2x4xui8>, %m: tensor<8x4xi8>, %i: tensor<4x2xi32>) {
  %0 = graph.conv2d %x, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 128 : (tensor<1x4x8x8xui8, #graph.layout<NCHW4c, halo [1:1, 1:1] of 128>>, tensor<8x4x3x3xi8>, tensor<8xi32>) -> tensor<1x8x8x8xi32>
  %1 = graph.conv2d %s, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 fill -3 : (tensor<1x4x8x8xi8>, tensor<8x4x3x3xi8>) -> tensor<1x8x6x6xi32>
  %2 = graph.dense %a, %m bias %b : (tensor<2x4xui8>, tensor<8x4xi8>, tensor<8xi32>) -> tensor<2x8xi32>
  %3 = graph.matmul %m, %i : (tensor<8x4xi8>, tensor<4x2xi32>) -> tensor<8x2xi32>
  func.return
}

// CHECK-LABEL: func.func @copy_to_a_device_keeps_the_storage
// CHECK-NEXT:    graph.device_copy %x {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x3x8x8xf32, #graph.layout<NCHW4c>> -> tensor<1x3x8x8xf32, #graph.layout<NCHW4c>>
func.func @copy_to_a_device_keeps_the_storage(%x: tensor<1x3x8x8xf32, #graph.layout<NCHW4c>>) {
  %y = graph.device_copy %x {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x3x8x8xf32, #graph.layout<NCHW4c>> -> tensor<1x3x8x8xf32, #graph.layout<NCHW4c>>
  func.return
}

func.func private @region0_opencl(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32, #graph.layout<NCHW4c>> attributes {lamina.device = "opencl:intel-gen9"} {
  %y = graph.relayout %x : tensor<1x3x8x8xf32> -> tensor<1x3x8x8xf32, #graph.layout<NCHW4c>>
  func.return %y : tensor<1x3x8x8xf32, #graph.layout<NCHW4c>>
}

// CHECK-LABEL: func.func @regions_run_on_storage_in_the_hands_of_their_device
// CHECK-NEXT:    graph.unmap %x {device = "opencl:intel-gen9"} : memref<1x3x8x8xf32>
// CHECK-NEXT:    graph.run @region0_opencl(%x, %y) : memref<1x3x8x8xf32>, memref<1x1x8x8x4xf32>
// CHECK-NEXT:    graph.map %y {device = "opencl:intel-gen9"} : memref<1x1x8x8x4xf32>
func.func @regions_run_on_storage_in_the_hands_of_their_device(%x: memref<1x3x8x8xf32>, %y: memref<1x1x8x8x4xf32>) {
  graph.unmap %x {device = "opencl:intel-gen9"} : memref<1x3x8x8xf32>
  graph.run @region0_opencl(%x, %y) : memref<1x3x8x8xf32>, memref<1x1x8x8x4xf32>
  graph.map %y {device = "opencl:intel-gen9"} : memref<1x1x8x8x4xf32>
  func.return
}
