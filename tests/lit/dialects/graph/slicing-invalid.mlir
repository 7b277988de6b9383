// RUN: lamina-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: needs a start and a step for each dimension of tensor<2x8xf32>, got [0], [1, 1] -> tensor<2x8xf32>
func.func @slice_has_a_start_too_few(%x: tensor<2x8xf32>) {
  %y = graph.slice %x starts [0] steps [1, 1] : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: dimension 1 has elements 0 to 7, got 4 of them from 3 by 2
func.func @slice_ends_outside(%x: tensor<2x8xf32>) {
  %y = graph.slice %x starts [0, 3] steps [1, 2] : tensor<2x8xf32> -> tensor<2x4xf32>
  func.return
}

// -----

// CHECK: dimension 1 has elements 0 to 7, got 3 of them from 3 by -2
func.func @slice_goes_back_too_far(%x: tensor<2x8xf32>) {
  %y = graph.slice %x starts [0, 3] steps [1, -2] : tensor<2x8xf32> -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: dimension 0 has elements 0 to 1, got 2 of them from 0 by 0
func.func @slice_stands_still(%x: tensor<2x8xf32>) {
  %y = graph.slice %x starts [0, 0] steps [0, 1] : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: axis must be from 0 to 1, got 2
func.func @gather_axis_is_too_large(%x: tensor<2x8xf32>) {
  %y = graph.gather axis 2 [0] %x : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: needs at least one index, got none
func.func @gather_of_nothing(%x: tensor<2x8xf32>) {
  %y = graph.gather axis 1 [] %x : tensor<2x8xf32> -> tensor<2x0xf32>
  func.return
}

// -----

// CHECK: indices along axis 1 must be from 0 to 7, got -1
func.func @gather_from_outside(%x: tensor<2x8xf32>) {
  %y = graph.gather axis 1 [0, -1] %x : tensor<2x8xf32> -> tensor<2x2xf32>
  func.return
}

// -----

// CHECK: result must have shape [2, 1], got tensor<2x8xf32>
func.func @gather_result_has_another_shape(%x: tensor<2x8xf32>) {
  %y = graph.gather axis 1 [0] %x : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: each dimension must be a multiple of that of tensor<2x8xf32>, got tensor<3x8xf32>
func.func @tile_ends_inside(%x: tensor<2x8xf32>) {
  %y = graph.tile %x : tensor<2x8xf32> -> tensor<3x8xf32>
  func.return
}

// -----

// CHECK: order must be "dcr" or "crd", got "rcd"
func.func @depth_in_an_unknown_order(%x: tensor<1x8x4x4xf32>) {
  %y = graph.depth_to_space %x block 2 order "rcd" : tensor<1x8x4x4xf32> -> tensor<1x2x8x8xf32>
  func.return
}

// -----

// CHECK: blocks of 3 do not make tensor<1x2x12x12xf32> of tensor<1x8x4x4xf32>
func.func @depth_is_no_multiple_of_blocks(%x: tensor<1x8x4x4xf32>) {
  %y = graph.depth_to_space %x block 3 order "dcr" : tensor<1x8x4x4xf32> -> tensor<1x2x12x12xf32>
  func.return
}

// -----

// CHECK: blocks of 3 do not make tensor<1x8x4x4xf32> of tensor<1x72x1x1xf32>
func.func @space_is_no_multiple_of_blocks(%x: tensor<1x8x4x4xf32>) {
  %y = graph.space_to_depth %x block 3 : tensor<1x8x4x4xf32> -> tensor<1x72x1x1xf32>
  func.return
}

// -----

// CHECK: needs NCHW, got tensor<8x8xf32> and tensor<2x8xf32>
func.func @depth_of_a_matrix(%x: tensor<2x8xf32>) {
  %y = graph.space_to_depth %x block 2 : tensor<2x8xf32> -> tensor<8x8xf32>
  func.return
}

// -----

// CHECK: kind must be one of sum, mean, max, min, prod, sum_abs, sum_square, got median
func.func @reduction_of_an_unknown_kind(%x: tensor<2x8xf32>) {
  %y = graph.reduce "median" %x over [1] : tensor<2x8xf32> -> tensor<2x1xf32>
  func.return
}

// -----

// CHECK: axes must rise and be from 0 to 1, got [1, 0] of tensor<2x8xf32>
func.func @axes_do_not_rise(%x: tensor<2x8xf32>) {
  %y = graph.reduce "sum" %x over [1, 0] : tensor<2x8xf32> -> tensor<1x1xf32>
  func.return
}

// -----

// CHECK: axes must rise and be from 0 to 1, got [2] of tensor<2x8xf32>
func.func @axis_is_outside(%x: tensor<2x8xf32>) {
  %y = graph.reduce "sum" %x over [2] : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: result must have shape [2, 1], got tensor<2xf32>
func.func @reduction_drops_a_dimension(%x: tensor<2x8xf32>) {
  %y = graph.reduce "sum" %x over [1] : tensor<2x8xf32> -> tensor<2xf32>
  func.return
}
