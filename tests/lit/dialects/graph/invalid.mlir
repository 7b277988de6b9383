// RUN: lamina-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: layout 'NCHW16d' blocks 'd', which is not a dimension of it
func.func @layout_blocks_an_unknown_dimension(%x: tensor<1x4x8x8xf32, #graph.layout<NCHW16d>>) {
  func.return
}

// -----
// CHECK: layout 'NCHC' must name each dimension once in upper case
func.func @layout_repeats_a_dimension(%x: tensor<1x4x8x8xf32, #graph.layout<NCHC>>) {
  func.return
}

// -----
// CHECK: layout 'NCHW1c' has a block of 1; a block needs 2 or more
func.func @layout_has_a_block_of_one(%x: tensor<1x4x8x8xf32, #graph.layout<NCHW1c>>) {
  func.return
}

// -----
// CHECK: layout 'NC' has 2 dimensions, its halo 3
func.func @halo_has_more_dimensions(%x: tensor<1x4xf32, #graph.layout<NC, halo [1:1, 1:1, 1:1]>>) {
  func.return
}

// -----
// CHECK: layout 'NCHW4w' cannot have a halo around blocked 'W'
func.func @halo_is_around_a_block(%x: tensor<1x4x8x8xf32, #graph.layout<NCHW4w, halo [1:1]>>) {
  func.return
}

// -----
// CHECK: bad layout 'nchw': needs upper-case dimensions, then blocks such as 16c
func.func @layout_is_in_lower_case(%x: tensor<1x4x8x8xf32, #graph.layout<nchw>>) {
  func.return
}

// -----
// CHECK: layout NCHW16c describes 4 dimensions, tensor<1x4xf32, #graph.layout<NCHW16c>> has 2
func.func @layout_is_of_another_rank(%x: tensor<1x4xf32>) {
  %y = graph.relayout %x : tensor<1x4xf32> -> tensor<1x4xf32, #graph.layout<NCHW16c>>
  func.return
}

// -----
// CHECK: expected a key or dense elements, got 1 : i64
func.func @constant_is_a_lone_number() {
  %c = graph.constant 1 : i64
  func.return
}

// -----
// CHECK: value is a tensor<2xf32>, the result a tensor<3xf32>
func.func @constant_and_result_differ() {
  %c = "graph.constant"() <{value = dense<1.0> : tensor<2xf32>}> : () -> tensor<3xf32>
  func.return
}

// -----
// CHECK: a layout changes storage only, got tensor<1x4xf32> -> tensor<4x1xf32>
func.func @relayout_changes_the_shape(%x: tensor<1x4xf32>) {
  %y = graph.relayout %x : tensor<1x4xf32> -> tensor<4x1xf32>
  func.return
}

// -----
// CHECK: region takes (tensor<4xf32>), operands are (tensor<2xf32>)
func.func @fused_region_takes_another_type(%x: tensor<2xf32>) {
  graph.fused(%x) ({
  ^bb0(%a: tensor<4xf32>):
    graph.yield
  }) : (tensor<2xf32>) -> ()
  func.return
}

// -----
// CHECK: region must end in graph.yield, got test.termop
func.func @fused_region_ends_otherwise() {
  graph.fused() ({
    "test.termop"() : () -> ()
  }) : () -> ()
  func.return
}

// -----
// CHECK: contains empty block in single-block region
func.func @fused_region_is_empty() {
  graph.fused() ({
  ^bb0:
  }) : () -> ()
  func.return
}

// -----
// CHECK: region yields (tensor<2xf32>), results are (tensor<4xf32>)
func.func @fused_region_yields_another_type(%x: tensor<2xf32>) {
  %y = graph.fused(%x) ({
  ^bb0(%a: tensor<2xf32>):
    graph.yield %a : tensor<2xf32>
  }) : (tensor<2xf32>) -> tensor<4xf32>
  func.return
}

// -----
// CHECK: result must have shape [4], got tensor<5xf32>
func.func @relu_changes_the_shape(%x: tensor<4xf32>) {
  %y = graph.relu %x : tensor<4xf32> -> tensor<5xf32>
  func.return
}

// -----
// CHECK: needs one element type, got f32, f64
func.func @relu_changes_the_element_type(%x: tensor<4xf32>) {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf64>
  func.return
}

// -----
// CHECK: layout NC describes 2 dimensions, tensor<4xf32, #graph.layout<NC>> has 1
func.func @pointwise_result_has_a_layout_of_another_rank(%x: tensor<4xf32>) {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32, #graph.layout<NC>>
  func.return
}

// -----
// CHECK: low 6.0 is above high 0.0
func.func @clip_bounds_are_crossed(%x: tensor<4xf32>) {
  %y = graph.clip %x between 6.0 and 0.0 : tensor<4xf32> -> tensor<4xf32>
  func.return
}

// -----
// CHECK: Expected float literal
func.func @clip_bound_is_a_word(%x: tensor<4xf32>) {
  %y = graph.clip %x between low and 0.0 : tensor<4xf32> -> tensor<4xf32>
  func.return
}

// -----
// CHECK: shapes {{\[\[}}2, 3], [2, 4]] do not broadcast
func.func @shapes_do_not_broadcast(%x: tensor<2x3xf32>, %z: tensor<2x4xf32>) {
  %y = graph.add %x, %z : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return
}

// -----
// CHECK: operands must have one rank, got [2, 1]; reshape to add dimensions
func.func @ranks_differ(%x: tensor<2x3xf32>, %z: tensor<3xf32>) {
  %y = graph.add %x, %z : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: needs one element type, got f32, i8
func.func @element_types_differ(%x: tensor<4xf32>, %z: tensor<4xi8>) {
  %y = graph.add %x, %z : (tensor<4xf32>, tensor<4xi8>) -> tensor<4xf32>
  func.return
}

// -----
// CHECK: axis must be from 0 to 1, got 2
func.func @concat_axis_is_no_dimension(%x: tensor<2x3xf32>) {
  %y = graph.concat axis 2 %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: needs operands for its result tensor<{{.*}}>, got none
func.func @concat_of_nothing() {
  %y = graph.concat axis 0 : () -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: tensor<3x3xf32> differs from tensor<2x6xf32> outside axis 1
func.func @concat_of_tensors_that_do_not_fit(%x: tensor<2x3xf32>, %z: tensor<3x3xf32>) {
  %y = graph.concat axis 1 %x, %z : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x6xf32>
  func.return
}

// -----
// CHECK: operands hold 6 along axis 1, got tensor<2x7xf32>
func.func @concat_result_is_too_long(%x: tensor<2x3xf32>) {
  %y = graph.concat axis 1 %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x7xf32>
  func.return
}

// -----
// CHECK: tensor<2x3xf32> has 6 elements, tensor<4x2xf32> has 8
func.func @reshape_changes_the_number_of_elements(%x: tensor<2x3xf32>) {
  %y = graph.reshape %x : tensor<2x3xf32> -> tensor<4x2xf32>
  func.return
}

// -----
// CHECK: perm must reorder the 2 dimensions of tensor<2x3xf32>, got [0, 0]
func.func @perm_repeats_a_dimension(%x: tensor<2x3xf32>) {
  %y = graph.transpose %x [0, 0] : tensor<2x3xf32> -> tensor<2x2xf32>
  func.return
}

// -----
// CHECK: result must have shape [3, 2], got tensor<2x3xf32>
func.func @transpose_keeps_the_shape(%x: tensor<2x3xf32>) {
  %y = graph.transpose %x [1, 0] : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: weights must have 4 dimensions (OIHW), got tensor<8x4x3xf32>
func.func @weights_have_three_dimensions(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: needs a tensor of 4 dimensions (NCHW), got tensor<1x4x8xf32>
func.func @input_has_three_dimensions(%x: tensor<1x4x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: strides must be 2 positive numbers, got [1, 0]
func.func @stride_is_zero(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 0] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: pads must be 4 numbers, none negative, got [0, 0, 0, -1]
func.func @pad_is_negative(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, -1] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: dilations must be 2 positive numbers, got [1]
func.func @one_dilation_is_missing(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: result must have shape [1, 8, 6, 6], got tensor<1x8x7x6xf32>
func.func @conv_result_has_another_shape(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x7x6xf32>
  func.return
}

// -----
// CHECK: a window of [9, 3] does not fit tensor<1x4x8x8xf32> with pads [0, 0, 0, 0]
func.func @window_is_larger_than_the_image(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x9x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x9x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: 1 groups of weights tensor<8x5x3x3xf32> need 5 input channels and a multiple of 1 output channels, got tensor<1x4x8x8xf32>
func.func @weights_are_for_other_channels(%x: tensor<1x4x8x8xf32>, %w: tensor<8x5x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x5x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: 3 groups of weights tensor<8x4x3x3xf32> need 12 input channels and a multiple of 3 output channels, got tensor<1x12x8x8xf32>
func.func @groups_do_not_divide_the_outputs(%x: tensor<1x12x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 3 : (tensor<1x12x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: bias must have shape [8], got tensor<4xf32>
func.func @conv_bias_has_another_shape(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>, %b: tensor<4xf32>) {
  %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<4xf32>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: needs one element type, got f32, i8
func.func @conv_weights_are_of_another_type(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xi8>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xi8>) -> tensor<1x8x6x6xf32>
  func.return
}

// -----
// CHECK: kernel must be 2 positive numbers, got [3]
func.func @kernel_has_one_number(%x: tensor<1x4x8x8xf32>) {
  %y = graph.max_pool2d %x kernel [3] strides [1, 1] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x6x6xf32>
  func.return
}

// -----
// CHECK: result must have shape [1, 4, 6, 6], got tensor<1x5x6x6xf32>
func.func @pool_changes_the_channels(%x: tensor<1x4x8x8xf32>) {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x5x6x6xf32>
  func.return
}

// -----
// CHECK: needs NCHW -> NC11, got tensor<1x4x8x8xf32> -> tensor<1x4xf32>
func.func @global_pool_drops_dimensions(%x: tensor<1x4x8x8xf32>) {
  %y = graph.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4xf32>
  func.return
}

// -----
// CHECK: tensor<1x4x8x8xf32> needs [4] per channel, got tensor<8xf32>
func.func @mean_has_another_shape(%x: tensor<1x4x8x8xf32>, %p: tensor<4xf32>, %q: tensor<8xf32>) {
  %y = graph.batch_norm %x, %p, %p, %q, %p epsilon 0.1 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: needs N, C and more, got tensor<4xf32> -> tensor<4xf32>
func.func @batch_norm_of_a_vector(%x: tensor<4xf32>, %p: tensor<4xf32>, %q: tensor<4xf32>) {
  %y = graph.batch_norm %x, %p, %p, %q, %p epsilon 0.1 : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----
// CHECK: needs [n, i], [o, i] -> [n, o], got tensor<2x8xf32>, tensor<8x4xf32> -> tensor<2x4xf32>
func.func @dense_weights_are_transposed(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) {
  %y = graph.dense %x, %w : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  func.return
}

// -----
// CHECK: bias must have shape [4], got tensor<1x4xf32>
func.func @dense_bias_has_two_dimensions(%x: tensor<2x8xf32>, %w: tensor<4x8xf32>, %b: tensor<1x4xf32>) {
  %y = graph.dense %x, %w bias %b : (tensor<2x8xf32>, tensor<4x8xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  func.return
}

// -----
// CHECK: axis must be from 0 to 1, got -1
func.func @softmax_axis_is_negative(%x: tensor<2x3xf32>) {
  %y = graph.softmax axis -1 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: result must have the shape of tensor<2x3xf32>, got tensor<3x2xf32>
func.func @softmax_changes_the_shape(%x: tensor<2x3xf32>) {
  %y = graph.softmax axis 1 %x : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return
}

// -----
// CHECK: needs [..., m, k] and [..., k, n], got tensor<2x8xf32> and tensor<4x8xf32>
func.func @matmul_of_other_lengths(%a: tensor<2x8xf32>, %b: tensor<4x8xf32>) {
  %y = graph.matmul %a, %b : (tensor<2x8xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  func.return
}

// -----
// CHECK: result must have shape [3, 2, 4], got tensor<1x2x4xf32>
func.func @matmul_result_has_another_batch(%a: tensor<3x2x8xf32>, %b: tensor<1x8x4xf32>) {
  %y = graph.matmul %a, %b : (tensor<3x2x8xf32>, tensor<1x8x4xf32>) -> tensor<1x2x4xf32>
  func.return
}

// -----
// CHECK: operands must have one rank, got [1, 0]; reshape to add dimensions
func.func @matmul_of_other_ranks(%a: tensor<3x2x8xf32>, %b: tensor<8x4xf32>) {
  %y = graph.matmul %a, %b : (tensor<3x2x8xf32>, tensor<8x4xf32>) -> tensor<3x2x4xf32>
  func.return
}

// -----
// CHECK: axes must be from 0 to 1 and ascend, got [1, 1]
func.func @axes_twice(%x: tensor<2x3xf32>) {
  %y = graph.normalize %x axes [1, 1] epsilon 0.1 : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: epsilon must not be negative, got -0.5
func.func @epsilon_is_negative(%x: tensor<2x3xf32>) {
  %y = graph.normalize %x axes [1] epsilon -0.5 : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: result must have the shape of tensor<2x3xf32>, got tensor<3x2xf32>
func.func @normalize_changes_the_shape(%x: tensor<2x3xf32>) {
  %y = graph.normalize %x axes [1] epsilon 0.1 : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return
}

// -----
// CHECK: result must have the shape of tensor<2x3xf32>, got tensor<3x2xf32>
func.func @log_softmax_changes_the_shape(%x: tensor<2x3xf32>) {
  %y = graph.log_softmax axis 1 %x : tensor<2x3xf32> -> tensor<3x2xf32>
  func.return
}

// -----
// CHECK: axis must be from 0 to 1, got 2
func.func @log_softmax_axis_is_too_large(%x: tensor<2x3xf32>) {
  %y = graph.log_softmax axis 2 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: dilations must be 2 positive numbers, got [2, 0]
func.func @pool_taps_are_not_apart(%x: tensor<1x4x8x8xf32>) {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [2, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x8xf32>
  func.return
}

// -----
// CHECK: needs NCHW -> NCHW, got tensor<1x16x4x4xf32> -> tensor<4x8x8xf32>
func.func @interleave_drops_dimensions(%x: tensor<1x16x4x4xf32>) {
  %y = graph.interleave %x steps [2, 2] offsets [0, 0] groups 1 : tensor<1x16x4x4xf32> -> tensor<4x8x8xf32>
  func.return
}

// -----
// CHECK: steps must be 2 positive numbers, got [4]
func.func @interleave_without_steps(%x: tensor<1x16x4x4xf32>) {
  %y = graph.interleave %x steps [4] offsets [0, 0] groups 1 : tensor<1x16x4x4xf32> -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: offsets must be 2 numbers, none negative, got [-1, 0]
func.func @interleave_starts_outside(%x: tensor<1x16x4x4xf32>) {
  %y = graph.interleave %x steps [2, 2] offsets [-1, 0] groups 1 : tensor<1x16x4x4xf32> -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: 3 groups cannot share the channels of tensor<1x4x8x8xf32>
func.func @groups_share_channels(%x: tensor<1x16x4x4xf32>) {
  %y = graph.interleave %x steps [2, 2] offsets [0, 0] groups 3 : tensor<1x16x4x4xf32> -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: steps [2, 1] need 2 channels for each of tensor<1x4x8x8xf32>, got tensor<1x16x4x4xf32>
func.func @interleave_of_other_channels(%x: tensor<1x16x4x4xf32>) {
  %y = graph.interleave %x steps [2, 1] offsets [0, 0] groups 1 : tensor<1x16x4x4xf32> -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: tensor<1x4x8x8xf32> from [0, 1] on does not fit images of [8, 8]
func.func @interleave_ends_outside(%x: tensor<1x16x4x4xf32>) {
  %y = graph.interleave %x steps [2, 2] offsets [0, 1] groups 1 : tensor<1x16x4x4xf32> -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: needs a tensor whose extents are all known, got tensor<?x3xf32>
func.func @extent_is_unknown(%x: tensor<?x3xf32>) {
  %y = graph.relu %x : tensor<?x3xf32> -> tensor<?x3xf32>
  func.return
}

// -----
// CHECK: needs a tensor of 4 dimensions (NCHW), got tensor<8xf32>
func.func @window_over_one_dimension(%x: tensor<8xf32>) {
  %y = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<8xf32> -> tensor<4xf32>
  func.return
}

// -----

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

// CHECK: needs places for each dimension of tensor<1x3x8x8xf32> behind the channels, and weights or none, got 1 and 0
func.func @places_along_one_dimension_of_two(%x: tensor<1x3x8x8xf32>, %i: tensor<2x1x5x7xi32>) {
  %y = graph.sample %x at(%i : tensor<2x1x5x7xi32>) : tensor<1x3x8x8xf32> -> tensor<1x3x5x7xf32>
  func.return
}

// -----

// CHECK: places must be i32 in 3 dimensions, got tensor<2x5xi32>
func.func @places_without_taps(%x: tensor<1x3x8xf32>, %i: tensor<2x5xi32>) {
  %y = graph.sample %x at(%i : tensor<2x5xi32>) : tensor<1x3x8xf32> -> tensor<1x3x5xf32>
  func.return
}

// -----

// CHECK: places tensor<2x1x5xi32> do not make tensor<1x3x6xf32>
func.func @sampled_result_has_another_shape(%x: tensor<1x3x8xf32>, %i: tensor<2x1x5xi32>) {
  %y = graph.sample %x at(%i : tensor<2x1x5xi32>) : tensor<1x3x8xf32> -> tensor<1x3x6xf32>
  func.return
}

// -----

// CHECK: graph.resample needs elements of kind float, got ui8
func.func @integers_are_not_summed_up(%x: tensor<2x8xui8>, %i: tensor<5x2xi32>) {
  %y = graph.resample %x over [1] at(%i : tensor<5x2xi32>) : tensor<2x8xui8> -> tensor<2x5xui8>
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
  %y = graph.space_to_depth %x block 3 order "dcr" : tensor<1x8x4x4xf32> -> tensor<1x72x1x1xf32>
  func.return
}

// -----

// CHECK: needs NCHW, got tensor<8x8xf32> and tensor<2x8xf32>
func.func @depth_of_a_matrix(%x: tensor<2x8xf32>) {
  %y = graph.space_to_depth %x block 2 order "dcr" : tensor<2x8xf32> -> tensor<8x8xf32>
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

// -----

// CHECK: graph.sigmoid needs elements of kind float, got i32
func.func @op_on_floats_gets_integers(%x: tensor<2x8xi32>) {
  %y = graph.sigmoid %x : tensor<2x8xi32> -> tensor<2x8xi32>
  func.return
}

// -----

// CHECK: predicate must be one of lt, le, gt, ge, eq, ne, got "olt"
func.func @compare_by_an_unknown_predicate(%x: tensor<2xf32>) {
  %y = graph.compare "olt" %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
  func.return
}

// -----

// CHECK: truth values are compared by eq and ne, got "lt"
func.func @order_of_truth_values(%x: tensor<2xi1>) {
  %y = graph.compare "lt" %x, %x : (tensor<2xi1>, tensor<2xi1>) -> tensor<2xi1>
  func.return
}

// -----

// CHECK: graph.compare needs elements of kind bool, got f32
func.func @comparison_that_gives_numbers(%x: tensor<2xf32>) {
  %y = graph.compare "lt" %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: graph.where needs elements of kind bool, got f32
func.func @choice_by_numbers(%x: tensor<2xf32>) {
  %y = graph.where %x, %x, %x : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: needs one element type, got f32, i32
func.func @choice_between_types(%c: tensor<2xi1>, %x: tensor<2xf32>, %i: tensor<2xi32>) {
  %y = graph.where %c, %x, %i : (tensor<2xi1>, tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: graph.and needs elements of kind bool or integer, got f32
func.func @logic_on_floats(%x: tensor<2xf32>) {
  %y = graph.and %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: graph.cast needs elements of kind float or integer or bool, got index
func.func @cast_to_index(%x: tensor<2xf32>) {
  %y = graph.cast %x : tensor<2xf32> -> tensor<2xindex>
  func.return
}

// -----

// CHECK: graph.mod needs elements of kind integer, got f32
func.func @modulo_of_floats(%x: tensor<2xf32>) {
  %y = graph.mod %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: each dimension must be a multiple of that of tensor<2x8xf32>, got tensor<2x9xf32>
func.func @repeat_ends_inside(%x: tensor<2x8xf32>) {
  %y = graph.repeat %x : tensor<2x8xf32> -> tensor<2x9xf32>
  func.return
}

// -----

// CHECK: axes must rise from 0 to at most 1, got [2]
func.func @resampled_axis_is_outside(%x: tensor<2x8xf32>, %i: tensor<5x1xi32>) {
  %y = graph.resample %x over [2] at(%i : tensor<5x1xi32>) : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: needs places for each of the axes [0, 1], and weights or none, got 1 and 0
func.func @axis_without_places(%x: tensor<2x8xf32>, %i: tensor<5x1xi32>) {
  %y = graph.resample %x over [0, 1] at(%i : tensor<5x1xi32>) : tensor<2x8xf32> -> tensor<2x5xf32>
  func.return
}

// -----

// CHECK: places must be i32 in 2 dimensions, got tensor<5x1xi64>
func.func @places_of_another_type(%x: tensor<2x8xf32>, %i: tensor<5x1xi64>) {
  %y = graph.resample %x over [1] at(%i : tensor<5x1xi64>) : tensor<2x8xf32> -> tensor<2x5xf32>
  func.return
}

// -----

// CHECK: places tensor<5x2xi32> have weights tensor<5x1xf32>
func.func @weights_for_fewer_taps(%x: tensor<2x8xf32>, %i: tensor<5x2xi32>, %w: tensor<5x1xf32>) {
  %y = graph.resample %x over [1] at(%i : tensor<5x2xi32>) weights(%w : tensor<5x1xf32>) : tensor<2x8xf32> -> tensor<2x5xf32>
  func.return
}

// -----

// CHECK: result must have shape [2, 5], got tensor<2x8xf32>
func.func @resampled_result_has_another_shape(%x: tensor<2x8xf32>, %i: tensor<5x1xi32>) {
  %y = graph.resample %x over [1] at(%i : tensor<5x1xi32>) : tensor<2x8xf32> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: axis must be from 0 to 1, got 2
func.func @take_axis_is_too_large(%x: tensor<2x8xf32>, %i: tensor<3xi64>) {
  %y = graph.take axis 2 %x at %i : tensor<2x8xf32>, tensor<3xi64> -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: indices must be i32 or i64, got tensor<3xf32>
func.func @take_at_floats(%x: tensor<2x8xf32>, %i: tensor<3xf32>) {
  %y = graph.take axis 1 %x at %i : tensor<2x8xf32>, tensor<3xf32> -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: indices must have one dimension, got tensor<3x1xi64>
func.func @take_at_a_matrix(%x: tensor<2x8xf32>, %i: tensor<3x1xi64>) {
  %y = graph.take axis 1 %x at %i : tensor<2x8xf32>, tensor<3x1xi64> -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: result must have shape [2, 3], got tensor<2x8xf32>
func.func @take_result_has_another_shape(%x: tensor<2x8xf32>, %i: tensor<3xi64>) {
  %y = graph.take axis 1 %x at %i : tensor<2x8xf32>, tensor<3xi64> -> tensor<2x8xf32>
  func.return
}

// -----

// CHECK: needs one element type, got f32, i32
func.func @take_changes_the_elements(%x: tensor<2x8xf32>, %i: tensor<3xi64>) {
  %y = graph.take axis 1 %x at %i : tensor<2x8xf32>, tensor<3xi64> -> tensor<2x3xi32>
  func.return
}

// -----

// CHECK: indices must have the rank of tensor<2x8xf32>, and no dimension longer than its but that of axis 1, got tensor<3x9xi64>
func.func @indices_are_longer(%x: tensor<2x8xf32>, %i: tensor<3x9xi64>) {
  %y = graph.take_along axis 1 %x at %i : tensor<2x8xf32>, tensor<3x9xi64> -> tensor<3x9xf32>
  func.return
}

// -----

// CHECK: graph.reduce needs elements of kind float, got i32
func.func @mean_of_integers(%x: tensor<2x8xi32>) {
  %y = graph.reduce "mean" %x over [1] : tensor<2x8xi32> -> tensor<2x1xi32>
  func.return
}

// -----

// CHECK: graph.reduce needs elements of kind float or integer, got i1
func.func @sum_of_truth_values(%x: tensor<2x8xi1>) {
  %y = graph.reduce "sum" %x over [1] : tensor<2x8xi1> -> tensor<2x1xi1>
  func.return
}

// -----
// CHECK: tile must be 2 or 4, got 3
func.func @tile_of_unknown_matrices(%x: tensor<1x8x8x8xf32>) {
  %0 = graph.winograd_input %x tile 3 pads [1, 1, 1, 1] : tensor<1x8x8x8xf32> -> tensor<1x200x3x3xf32>
  func.return
}

// -----
// CHECK: needs NCHW -> NCHW of one N, got tensor<1x8x8x8xf32> -> tensor<2x128x4x4xf32>
func.func @tiles_of_another_batch(%x: tensor<1x8x8x8xf32>) {
  %0 = graph.winograd_input %x tile 2 pads [1, 1, 1, 1] : tensor<1x8x8x8xf32> -> tensor<2x128x4x4xf32>
  func.return
}

// -----
// CHECK: tiles of 2 need 16 times the 8 channels of tensor<1x8x8x8xf32>, or 16 times more of them, got tensor<1x130x4x4xf32>
func.func @tiles_of_other_channels(%x: tensor<1x8x8x8xf32>) {
  %0 = graph.winograd_input %x tile 2 pads [1, 1, 1, 1] : tensor<1x8x8x8xf32> -> tensor<1x130x4x4xf32>
  func.return
}

// -----
// CHECK: pads must be 4 numbers, none negative, got [1, 1]
func.func @tiles_with_two_pads(%x: tensor<1x8x8x8xf32>) {
  %0 = graph.winograd_input %x tile 2 pads [1, 1] : tensor<1x8x8x8xf32> -> tensor<1x128x4x4xf32>
  func.return
}

// -----
// CHECK: tiles of 4 over results of [8, 8] make maps of [2, 2], got tensor<1x288x3x3xf32>
func.func @too_many_tiles(%x: tensor<1x8x8x8xf32>) {
  %0 = graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x8x8x8xf32> -> tensor<1x288x3x3xf32>
  func.return
}

// -----
// CHECK: tensor<1x8x9x8xf32> has [3, 2] tiles of 4 a side, got tensor<1x288x2x2xf32>
func.func @too_few_tiles(%x: tensor<1x288x2x2xf32>) {
  %0 = graph.winograd_output %x tile 4 : (tensor<1x288x2x2xf32>) -> tensor<1x8x9x8xf32>
  func.return
}

// -----
// CHECK: bias must have shape [8], got tensor<9xf32>
func.func @bias_of_other_channels(%x: tensor<1x288x2x2xf32>, %b: tensor<9xf32>) {
  %0 = graph.winograd_output %x bias %b tile 4 : (tensor<1x288x2x2xf32>, tensor<9xf32>) -> tensor<1x8x8x8xf32>
  func.return
}

// -----
// CHECK: tensor<2x3xf32> is no run of bytes at [0, 0] of tensor<2x6xf32>; leave out in_place
func.func @columns_are_no_run_of_bytes(%x: tensor<2x3xf32>) {
  %y = graph.concat axis 1 in_place %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  func.return
}

// -----
// CHECK: tensor<1x8xf32, #graph.layout<NC16c>> is no run of bytes at [0, 8] of tensor<1x24xf32, #graph.layout<NC16c>>; leave out in_place
func.func @part_begins_inside_a_block(%x: tensor<1x24xf32, #graph.layout<NC16c>>) {
  %y = graph.slice %x starts [0, 8] steps [1, 1] in_place : tensor<1x24xf32, #graph.layout<NC16c>> -> tensor<1x8xf32, #graph.layout<NC16c>>
  func.return
}

// -----
// CHECK: in_place needs one layout, got NCHW, halo [1:1, 1:1] and NCHW
func.func @part_has_another_halo(%x: tensor<1x2x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>) {
  %y = graph.slice %x starts [0, 0, 0, 0] steps [1, 1, 1, 1] in_place : tensor<1x2x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> -> tensor<1x1x4x4xf32>
  func.return
}

// -----
// CHECK: in_place needs steps of 1, got [-1]
func.func @part_goes_backwards(%x: tensor<4xf32>) {
  %y = graph.slice %x starts [3] steps [-1] in_place : tensor<4xf32> -> tensor<4xf32>
  func.return
}

// -----
// CHECK: a halo of tensor<1x4x8x8xui8, #graph.layout<NCHW, halo [1:1] of 256>> must be of 0 to 255, got 256
func.func @halo_of_a_number_that_elements_cannot_be(%x: tensor<1x4x8x8xui8, #graph.layout<NCHW, halo [1:1] of 256>>) {
  %y = graph.relayout %x : tensor<1x4x8x8xui8, #graph.layout<NCHW, halo [1:1] of 256>> -> tensor<1x4x8x8xui8>
  func.return
}

// -----
// CHECK: a halo of tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1] of 1>> must be of 0 to 0, got 1
func.func @halo_of_floats_is_of_zeros(%x: tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1] of 1>>) {
  %y = graph.relayout %x : tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1] of 1>> -> tensor<1x4x8x8xf32>
  func.return
}

// -----
// CHECK: fill must be in -128..127 for tensor<1x4x8x8xi8>, got 128
func.func @fill_is_no_element(%x: tensor<1x4x8x8xi8>, %w: tensor<8x4x3x3xi8>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 128 : (tensor<1x4x8x8xi8>, tensor<8x4x3x3xi8>) -> tensor<1x8x8x8xi32>
  func.return
}

// -----
// CHECK: fill must be in 0..0 for tensor<1x4x8x8xf32>, got 1
func.func @floats_have_zeros_around_them(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 1 : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x8x8xf32>
  func.return
}

// -----
// CHECK: graph.dense needs a result of i32, got ui8
func.func @sums_of_integers_are_wide(%x: tensor<2x4xui8>, %w: tensor<8x4xi8>) {
  %y = graph.dense %x, %w : (tensor<2x4xui8>, tensor<8x4xi8>) -> tensor<2x8xui8>
  func.return
}

// -----
// CHECK: graph.dense needs a bias of i32, got i8
func.func @bias_of_integers_is_wide(%x: tensor<2x4xui8>, %w: tensor<8x4xi8>, %b: tensor<8xi8>) {
  %y = graph.dense %x, %w bias %b : (tensor<2x4xui8>, tensor<8x4xi8>, tensor<8xi8>) -> tensor<2x8xi32>
  func.return
}

// -----
// CHECK: graph.matmul needs factors of ui8 or i8 or i32, got i16
func.func @factors_are_bytes_or_i32(%x: tensor<2x4xi16>) {
  %y = graph.matmul %x, %x : (tensor<2x4xi16>, tensor<2x4xi16>) -> tensor<2x4xi32>
  func.return
}

// -----
// CHECK: needs one element type, got ui8, f32
func.func @factors_are_all_integers_or_none(%x: tensor<2x4xui8>, %w: tensor<4x3xf32>) {
  %y = graph.matmul %x, %w : (tensor<2x4xui8>, tensor<4x3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----
// CHECK: graph.quantize needs zero of ui8 or i8, got i32
func.func @zero_point_is_a_byte(%x: tensor<4xf32>, %z: tensor<1xi32>) {
  %y = graph.quantize %x, %x, %z : (tensor<4xf32>, tensor<4xf32>, tensor<1xi32>) -> tensor<4xi32>
  func.return
}

// -----
// CHECK: graph.quantize needs the result of ui8, got i8
func.func @result_is_of_the_type_of_its_zero_point(%x: tensor<4xf32>, %z: tensor<1xui8>) {
  %y = graph.quantize %x, %x, %z : (tensor<4xf32>, tensor<4xf32>, tensor<1xui8>) -> tensor<4xi8>
  func.return
}

// -----
// CHECK: graph.requantize needs scale of f32, got i32
func.func @scale_is_real(%x: tensor<4xi32>, %z: tensor<1xui8>) {
  %y = graph.requantize %x, %x, %z : (tensor<4xi32>, tensor<4xi32>, tensor<1xui8>) -> tensor<4xui8>
  func.return
}

// -----
// CHECK: graph.requantize needs x of f32 or i32, got ui8
func.func @bytes_are_not_requantized(%x: tensor<4xui8>, %s: tensor<1xf32>) {
  %y = graph.requantize %x, %s, %x : (tensor<4xui8>, tensor<1xf32>, tensor<4xui8>) -> tensor<4xui8>
  func.return
}

// -----
// CHECK: graph.requantize_fixed needs multiplier of i32, got f32
func.func @multiplier_is_an_integer(%x: tensor<4xi32>, %s: tensor<1xf32>) {
  %y = graph.requantize_fixed %x, %s, %x zero 0 : (tensor<4xi32>, tensor<1xf32>, tensor<4xi32>) -> tensor<4xui8>
  func.return
}

// -----
// CHECK: graph.requantize_fixed needs the result of ui8 or i8, got i32
func.func @fixed_point_ends_in_bytes(%x: tensor<4xi32>) {
  %y = graph.requantize_fixed %x, %x, %x zero 0 : (tensor<4xi32>, tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  func.return
}

// -----
// CHECK: the zero point of ui8 must be in 0..255, got -1
func.func @zero_point_is_a_number_of_the_result(%x: tensor<4xi32>) {
  %y = graph.requantize_fixed %x, %x, %x zero -1 : (tensor<4xi32>, tensor<4xi32>, tensor<4xi32>) -> tensor<4xui8>
  func.return
}

// -----
// CHECK: graph.dequantize needs zero of ui8, got i8
func.func @zero_point_is_of_the_type_of_x(%x: tensor<4xui8>, %s: tensor<1xf32>, %z: tensor<1xi8>) {
  %y = graph.dequantize %x, %s, %z : (tensor<4xui8>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xf32>
  func.return
}

// -----
// CHECK: graph.dequantize needs x of ui8 or i8 or i32, got f32
func.func @floats_are_not_dequantized(%x: tensor<4xf32>) {
  %y = graph.dequantize %x, %x, %x : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----
// CHECK: a copy is stored as the original, got tensor<1x4xf32> -> tensor<1x4xf32, #graph.layout<CN>>; put a graph.relayout beside it
func.func @copy_to_a_device_changes_the_storage(%x: tensor<1x4xf32>) {
  %y = graph.device_copy %x {source = "cpu", to = "opencl:intel-xe"} : tensor<1x4xf32> -> tensor<1x4xf32, #graph.layout<CN>>
  func.return
}

// -----
// CHECK: needs two devices, got twice "cpu"
func.func @copy_stays_on_its_device(%x: tensor<1x4xf32>) {
  %y = graph.device_copy %x {source = "cpu", to = "cpu"} : tensor<1x4xf32> -> tensor<1x4xf32>
  func.return
}

// -----
// CHECK: there is no function @region0_cpu to run
func.func @region_is_nowhere(%x: memref<4xf32>) {
  graph.run @region0_cpu(%x) : memref<4xf32>
  func.return
}

// -----
func.func private @region0_cpu(%x: tensor<4xf32>) -> tensor<4xf32>
// CHECK: @region0_cpu needs a buffer for each of 2 arguments and results, got 1
func.func @result_has_no_buffer(%x: memref<4xf32>) {
  graph.run @region0_cpu(%x) : memref<4xf32>
  func.return
}

// -----
func.func private @region0_cpu(%x: tensor<1x4xf32, #graph.layout<NC8c>>) -> tensor<4xf32>
// CHECK: buffer 0 of @region0_cpu must be memref<1x1x8xf32>, got memref<1x4xf32>
func.func @buffer_is_no_storage_of_the_argument(%x: memref<1x4xf32>, %y: memref<4xf32>) {
  graph.run @region0_cpu(%x, %y) : memref<1x4xf32>, memref<4xf32>
  func.return
}

// -----
func.func private @region0_cpu(%x: memref<4xf32>)
// CHECK: @region0_cpu must be on tensors, got memref<4xf32>
func.func @region_is_on_buffers(%x: memref<4xf32>) {
  graph.run @region0_cpu(%x) : memref<4xf32>
  func.return
}
