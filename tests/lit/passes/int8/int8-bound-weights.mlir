// RUN: lamina-opt %s -p int8-bound-weights | filecheck %s

// CHECK-LABEL: func.func @none_is_larger_than_64
// CHECK:         graph.dense %x, %w {lamina.abs_b = 64 : i64}
func.func @none_is_larger_than_64(%x: tensor<3x4xui8>) -> tensor<3x1xi32> {
  %w = graph.constant dense<[[64, -64, 64, -64]]> : tensor<1x4xi8>
  %y = graph.dense %x, %w : (tensor<3x4xui8>, tensor<1x4xi8>) -> tensor<3x1xi32>
  func.return %y : tensor<3x1xi32>
}

// Neighbours of two signs are together never larger than one of them.
// CHECK-LABEL: func.func @signs_differ
// CHECK:         graph.dense %x, %w {lamina.pair_b = 128 : i64}
func.func @signs_differ(%x: tensor<3x4xui8>) -> tensor<3x1xi32> {
  %w = graph.constant dense<[[127, -128, -100, 100]]> : tensor<1x4xi8>
  %y = graph.dense %x, %w : (tensor<3x4xui8>, tensor<1x4xi8>) -> tensor<3x1xi32>
  func.return %y : tensor<3x1xi32>
}

// One group of 50 is too large, in @fewer_than_98 two.
// CHECK-LABEL: func.func @at_least_98_of_100
// CHECK:         graph.dense %x, %w {lamina.most_b = 98 : i64}
func.func @at_least_98_of_100(%x: tensor<3x20xui8>) -> tensor<3x10xi32> {
  %w = graph.constant dense<[
    [100, 29, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [127, -128, -64, -64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  ]> : tensor<10x20xi8>
  %y = graph.dense %x, %w : (tensor<3x20xui8>, tensor<10x20xi8>) -> tensor<3x10xi32>
  func.return %y : tensor<3x10xi32>
}

// CHECK-LABEL: func.func @fewer_than_98
// CHECK:         graph.dense %x, %w :
func.func @fewer_than_98(%x: tensor<3x20xui8>) -> tensor<3x10xi32> {
  %w = graph.constant dense<[
    [100, 29, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [127, -128, -64, -65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  ]> : tensor<10x20xi8>
  %y = graph.dense %x, %w : (tensor<3x20xui8>, tensor<10x20xi8>) -> tensor<3x10xi32>
  func.return %y : tensor<3x10xi32>
}

// CHECK-LABEL: func.func @no_two_neighbours_are_together_larger_than_128
// CHECK:         graph.conv2d %x, %w {{.*}} groups 1 {lamina.pair_b = 128 : i64}
func.func @no_two_neighbours_are_together_larger_than_128(%x: tensor<1x3x4x4xui8>) -> tensor<1x1x4x4xi32> {
  %w = graph.constant dense<[[[[100]], [[-28]], [[-128]]]]> : tensor<1x3x1x1xi8>
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x4x4xui8>, tensor<1x3x1x1xi8>) -> tensor<1x1x4x4xi32>
  func.return %y : tensor<1x1x4x4xi32>
}

// Groups may also go along a window whose width is a multiple of four.
// CHECK-LABEL: func.func @neighbours_in_a_window_count_too
// CHECK:         graph.conv2d %x, %w {{.*}} groups 1 : (
// CHECK:         graph.conv2d %x, %v {{.*}} groups 1 {lamina.pair_b = 128 : i64} : (
func.func @neighbours_in_a_window_count_too(%x: tensor<1x2x4x4xui8>) -> (tensor<1x1x4x1xi32>, tensor<1x1x4x2xi32>) {
  %w = graph.constant dense<[[[[100, 100, 0, 0]], [[0, 0, 1, 1]]]]> : tensor<1x2x1x4xi8>
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x4x4xui8>, tensor<1x2x1x4xi8>) -> tensor<1x1x4x1xi32>
  %v = graph.constant dense<[[[[100, 100, 0]], [[0, 0, 1]]]]> : tensor<1x2x1x3xi8>
  %z = graph.conv2d %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x4x4xui8>, tensor<1x2x1x3xi8>) -> tensor<1x1x4x2xi32>
  func.return %y, %z : tensor<1x1x4x1xi32>, tensor<1x1x4x2xi32>
}

// CHECK-LABEL: func.func @larger_ones_have_no_mark
// CHECK-NOT:     lamina
// CHECK:         graph.dense %x, %w :
// CHECK-LABEL: func.func @nor_have_those_that_nobody_knows
// CHECK-NOT:     lamina
// CHECK:         graph.dense %x, %w :
func.func @larger_ones_have_no_mark(%x: tensor<3x4xui8>) -> tensor<3x1xi32> {
  %w = graph.constant dense<[[64, 65, 64, -64]]> : tensor<1x4xi8>
  %y = graph.dense %x, %w : (tensor<3x4xui8>, tensor<1x4xi8>) -> tensor<3x1xi32>
  func.return %y : tensor<3x1xi32>
}
func.func @nor_have_those_that_nobody_knows(%x: tensor<3x4xui8>, %w: tensor<1x4xi8>) -> tensor<3x1xi32> {
  %y = graph.dense %x, %w : (tensor<3x4xui8>, tensor<1x4xi8>) -> tensor<3x1xi32>
  func.return %y : tensor<3x1xi32>
}
