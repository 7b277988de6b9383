// RUN: lamina-opt %s -p simplify-graph | filecheck %s

// CHECK-LABEL: func.func @relu_of_what_is_never_negative_is_dropped
// CHECK-NEXT:    %[[R:.*]] = graph.relu %x
// CHECK-NEXT:    %[[S:.*]] = graph.sigmoid %x
// CHECK-NEXT:    %[[C:.*]] = graph.clip %x
// CHECK-NEXT:    func.return %[[R]], %[[S]], %[[C]]
func.func @relu_of_what_is_never_negative_is_dropped(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %r = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %s = graph.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
  %c = graph.clip %x between 1.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  %rr = graph.relu %r : tensor<4xf32> -> tensor<4xf32>
  %rs = graph.relu %s : tensor<4xf32> -> tensor<4xf32>
  %rc = graph.relu %c : tensor<4xf32> -> tensor<4xf32>
  func.return %rr, %rs, %rc : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @relu_of_a_sum_stays
// CHECK:         graph.relu
func.func @relu_of_a_sum_stays(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = graph.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = graph.relu %s : tensor<4xf32> -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @clip_without_upper_bound_at_zero_is_a_relu
// CHECK-NEXT:    graph.relu %x {lamina.source = "r"}
func.func @clip_without_upper_bound_at_zero_is_a_relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.clip %x between 0.0 and inf {lamina.source = "r"} : tensor<4xf32> -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK-LABEL: func.func @clip_of_a_clip_is_one_clip
// CHECK-NEXT:    graph.clip %x between 1.000000e+00 and 3.000000e+00 {lamina.source = "outer"}
func.func @clip_of_a_clip_is_one_clip(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.clip %x between 0.0 and 3.0 {lamina.source = "inner"} : tensor<4xf32> -> tensor<4xf32>
  %d = graph.clip %c between 1.0 and 6.0 {lamina.source = "outer"} : tensor<4xf32> -> tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// CHECK-LABEL: func.func @clips_that_do_not_overlap_are_the_outer_bound
// CHECK-NEXT:    graph.clip %x between 4.000000e+00 and 4.000000e+00
func.func @clips_that_do_not_overlap_are_the_outer_bound(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.clip %x between 0.0 and 3.0 : tensor<4xf32> -> tensor<4xf32>
  %d = graph.clip %c between 4.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// CHECK-LABEL: func.func @clip_of_a_relu_is_one_clip
// CHECK-NEXT:    graph.clip %x between 0.000000e+00 and 6.000000e+00
// CHECK-NEXT:    func.return
func.func @clip_of_a_relu_is_one_clip(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %c = graph.clip %r between -1.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// CHECK-LABEL: func.func @relu_of_a_clip_is_one_clip
// CHECK-NEXT:    graph.clip %x between 0.000000e+00 and 6.000000e+00
// CHECK-NEXT:    func.return
func.func @relu_of_a_clip_is_one_clip(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.clip %x between -1.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  %r = graph.relu %c : tensor<4xf32> -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @clip_with_another_reader_stays
// CHECK-NEXT:    %[[C:.*]] = graph.clip %x between 0.000000e+00 and 3.000000e+00
// CHECK-NEXT:    graph.clip %[[C]] between 1.000000e+00 and 6.000000e+00
func.func @clip_with_another_reader_stays(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c = graph.clip %x between 0.0 and 3.0 : tensor<4xf32> -> tensor<4xf32>
  %d = graph.clip %c between 1.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
  func.return %c, %d : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @maximum_with_zero_is_a_relu
// CHECK-NEXT:    graph.relu %x {lamina.source = "m"}
// CHECK-NEXT:    func.return
func.func @maximum_with_zero_is_a_relu(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %zero = graph.constant dense<0.0> : tensor<1x1xf32>
  %m = graph.maximum %zero, %x {lamina.source = "m"} : (tensor<1x1xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %m : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @minimum_with_a_number_is_a_clip
// CHECK-NEXT:    graph.clip %x between -inf and 6.000000e+00
func.func @minimum_with_a_number_is_a_clip(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %six = graph.constant dense<6.0> : tensor<2x4xf32>
  %m = graph.minimum %x, %six : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %m : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @maximum_with_several_numbers_stays
// CHECK:         graph.maximum
func.func @maximum_with_several_numbers_stays(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = graph.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %m = graph.maximum %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %m : tensor<2xf32>
}

// CHECK-LABEL: func.func @neutral_operands_are_dropped
// CHECK-NEXT:    func.return %x
func.func @neutral_operands_are_dropped(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %zero = graph.constant dense<0.0> : tensor<1x4xf32>
  %one = graph.constant dense<1.0> : tensor<1x1xf32>
  %a = graph.add %zero, %x : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %b = graph.sub %a, %zero : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  %c = graph.mul %b, %one : (tensor<2x4xf32>, tensor<1x1xf32>) -> tensor<2x4xf32>
  %d = graph.div %c, %one : (tensor<2x4xf32>, tensor<1x1xf32>) -> tensor<2x4xf32>
  func.return %d : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @zero_minus_x_and_one_over_x_stay
// CHECK:         graph.sub
// CHECK:         graph.div
func.func @zero_minus_x_and_one_over_x_stay(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = graph.constant dense<0.0> : tensor<4xf32>
  %one = graph.constant dense<1.0> : tensor<4xf32>
  %a = graph.sub %zero, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = graph.div %one, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// The sum with zero broadcasts; it is not its operand.
// CHECK-LABEL: func.func @sum_that_changes_the_shape_stays
// CHECK:         graph.add
func.func @sum_that_changes_the_shape_stays(%x: tensor<1x4xf32>) -> tensor<2x4xf32> {
  %zero = graph.constant dense<0.0> : tensor<2x4xf32>
  %a = graph.add %x, %zero : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %a : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @average_over_the_whole_image_is_global
// CHECK-NEXT:    graph.global_avg_pool %x {lamina.source = "p"} : tensor<1x8x7x7xf32> -> tensor<1x8x1x1xf32>
func.func @average_over_the_whole_image_is_global(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32> {
  %p = graph.avg_pool2d %x kernel [7, 7] strides [1, 1] pads [0, 0, 0, 0] count_pads true {lamina.source = "p"} : tensor<1x8x7x7xf32> -> tensor<1x8x1x1xf32>
  func.return %p : tensor<1x8x1x1xf32>
}

// CHECK-LABEL: func.func @average_over_a_part_stays
// CHECK-NEXT:    graph.avg_pool2d
func.func @average_over_a_part_stays(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x2x1xf32> {
  %p = graph.avg_pool2d %x kernel [6, 7] strides [1, 1] pads [0, 0, 0, 0] count_pads true : tensor<1x8x7x7xf32> -> tensor<1x8x2x1xf32>
  func.return %p : tensor<1x8x2x1xf32>
}

// CHECK-LABEL: func.func @zeros_around_the_input_of_a_conv_are_its_pads
// CHECK-NEXT:    graph.conv2d %x, %w strides [1, 1] pads [1, 3, 0, 0] dilations [1, 1] groups 1 {lamina.source = "c"} : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x7x9xf32>
// CHECK-NEXT:    func.return
func.func @zeros_around_the_input_of_a_conv_are_its_pads(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<1x4x7x9xf32> {
  %top = graph.constant dense<0.0> : tensor<1x4x1x8xf32>
  %side = graph.constant dense<0.0> : tensor<1x4x9x2xf32>
  %h = graph.concat axis 2 %top, %x : (tensor<1x4x1x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x9x8xf32>
  %p = graph.concat axis 3 %side, %h : (tensor<1x4x9x2xf32>, tensor<1x4x9x8xf32>) -> tensor<1x4x9x10xf32>
  %c = graph.conv2d %p, %w strides [1, 1] pads [0, 1, 0, 0] dilations [1, 1] groups 1 {lamina.source = "c"} : (tensor<1x4x9x10xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x7x9xf32>
  func.return %c : tensor<1x4x7x9xf32>
}

// Around integers may be another number than 0, their zero point.
// CHECK-LABEL: func.func @zero_points_around_the_input_of_a_conv_are_its_pads
// CHECK:         graph.conv2d %x, %w strides [1, 1] pads [1, 0, 0, 0] dilations [1, 1] groups 1 fill 3
// CHECK:         graph.conv2d %{{.*}}, %w strides [1, 1] pads [0, 1, 0, 1] dilations [1, 1] groups 1 fill 5
func.func @zero_points_around_the_input_of_a_conv_are_its_pads(%x: tensor<1x4x8x8xui8>, %w: tensor<4x4x3x3xi8>) -> (tensor<1x4x7x6xi32>, tensor<1x4x7x8xi32>) {
  %top = graph.constant dense<3> : tensor<1x4x1x8xui8>
  %p = graph.concat axis 2 %top, %x : (tensor<1x4x1x8xui8>, tensor<1x4x8x8xui8>) -> tensor<1x4x9x8xui8>
  %c = graph.conv2d %p, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 fill 3 : (tensor<1x4x9x8xui8>, tensor<4x4x3x3xi8>) -> tensor<1x4x7x6xi32>
  %d = graph.conv2d %p, %w strides [1, 1] pads [0, 1, 0, 1] dilations [1, 1] groups 1 fill 5 : (tensor<1x4x9x8xui8>, tensor<4x4x3x3xi8>) -> tensor<1x4x7x8xi32>
  func.return %c, %d : tensor<1x4x7x6xi32>, tensor<1x4x7x8xi32>
}

// CHECK-LABEL: func.func @zeros_after_the_input_of_an_average_count
// CHECK-NEXT:    graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 1] count_pads true
// CHECK-NEXT:    func.return
func.func @zeros_after_the_input_of_an_average_count(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x6x7xf32> {
  %side = graph.constant dense<0.0> : tensor<1x4x8x1xf32>
  %p = graph.concat axis 3 %x, %side : (tensor<1x4x8x8xf32>, tensor<1x4x8x1xf32>) -> tensor<1x4x8x9xf32>
  %c = graph.avg_pool2d %p kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] count_pads false : tensor<1x4x8x9xf32> -> tensor<1x4x6x7xf32>
  func.return %c : tensor<1x4x6x7xf32>
}

// CHECK-LABEL: func.func @ones_and_other_channels_are_no_padding
// CHECK:         graph.concat axis 3
// CHECK:         graph.concat axis 1
// CHECK:         graph.conv2d {{.*}} pads [0, 0, 0, 0]
func.func @ones_and_other_channels_are_no_padding(%x: tensor<1x4x8x8xf32>, %w: tensor<4x5x3x3xf32>) -> tensor<1x4x6x7xf32> {
  %side = graph.constant dense<1.0> : tensor<1x4x8x1xf32>
  %zero = graph.constant dense<0.0> : tensor<1x1x8x9xf32>
  %p = graph.concat axis 3 %x, %side : (tensor<1x4x8x8xf32>, tensor<1x4x8x1xf32>) -> tensor<1x4x8x9xf32>
  %q = graph.concat axis 1 %p, %zero : (tensor<1x4x8x9xf32>, tensor<1x1x8x9xf32>) -> tensor<1x5x8x9xf32>
  %c = graph.conv2d %q, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x5x8x9xf32>, tensor<4x5x3x3xf32>) -> tensor<1x4x6x7xf32>
  func.return %c : tensor<1x4x6x7xf32>
}

// CHECK-LABEL: func.func @concat_of_one_tensor_is_dropped
// CHECK-NEXT:    func.return %x
func.func @concat_of_one_tensor_is_dropped(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %c = graph.concat axis 1 %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %c : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @reshape_of_a_reshape_is_one_reshape
// CHECK-NEXT:    graph.reshape %x {lamina.source = "b"} : tensor<2x4xf32> -> tensor<8x1xf32>
// CHECK-NEXT:    func.return
func.func @reshape_of_a_reshape_is_one_reshape(%x: tensor<2x4xf32>) -> tensor<8x1xf32> {
  %a = graph.reshape %x {lamina.source = "a"} : tensor<2x4xf32> -> tensor<8xf32>
  %b = graph.reshape %a {lamina.source = "b"} : tensor<8xf32> -> tensor<8x1xf32>
  func.return %b : tensor<8x1xf32>
}

// CHECK-LABEL: func.func @reshapes_there_and_back_are_dropped
// CHECK-NEXT:    func.return %x
func.func @reshapes_there_and_back_are_dropped(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %a = graph.reshape %x : tensor<2x4xf32> -> tensor<8xf32>
  %b = graph.reshape %a : tensor<8xf32> -> tensor<2x4xf32>
  func.return %b : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @transpose_of_a_transpose_is_one_transpose
// CHECK-NEXT:    graph.transpose %x [2, 1, 0] {lamina.source = "b"} : tensor<2x3x4xf32> -> tensor<4x3x2xf32>
// CHECK-NEXT:    func.return
func.func @transpose_of_a_transpose_is_one_transpose(%x: tensor<2x3x4xf32>) -> tensor<4x3x2xf32> {
  %a = graph.transpose %x [1, 0, 2] {lamina.source = "a"} : tensor<2x3x4xf32> -> tensor<3x2x4xf32>
  %b = graph.transpose %a [2, 0, 1] {lamina.source = "b"} : tensor<3x2x4xf32> -> tensor<4x3x2xf32>
  func.return %b : tensor<4x3x2xf32>
}

// CHECK-LABEL: func.func @inverse_transposes_are_dropped
// CHECK-NEXT:    func.return %x
func.func @inverse_transposes_are_dropped(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %a = graph.transpose %x [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %b = graph.transpose %a [1, 0] : tensor<3x2xf32> -> tensor<2x3xf32>
  func.return %b : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @transpose_of_dimensions_of_one_is_a_reshape
// CHECK-NEXT:    graph.reshape %x : tensor<1x8x1x4xf32> -> tensor<1x1x8x4xf32>
func.func @transpose_of_dimensions_of_one_is_a_reshape(%x: tensor<1x8x1x4xf32>) -> tensor<1x1x8x4xf32> {
  %a = graph.transpose %x [0, 2, 1, 3] : tensor<1x8x1x4xf32> -> tensor<1x1x8x4xf32>
  func.return %a : tensor<1x1x8x4xf32>
}

// CHECK-LABEL: func.func @shuffled_groups_are_a_gather
// CHECK-NEXT:    %[[Y:.*]] = graph.gather axis 1 [0, 3, 1, 4, 2, 5] %x : tensor<2x6x4x4xf32> -> tensor<2x6x4x4xf32>
// CHECK-NEXT:    func.return %[[Y]]
func.func @shuffled_groups_are_a_gather(%x: tensor<2x6x4x4xf32>) -> tensor<2x6x4x4xf32> {
  %a = graph.reshape %x : tensor<2x6x4x4xf32> -> tensor<2x2x3x4x4xf32>
  %b = graph.transpose %a [0, 2, 1, 3, 4] : tensor<2x2x3x4x4xf32> -> tensor<2x3x2x4x4xf32>
  %y = graph.reshape %b : tensor<2x3x2x4x4xf32> -> tensor<2x6x4x4xf32>
  func.return %y : tensor<2x6x4x4xf32>
}

// CHECK-LABEL: func.func @other_transposes_are_no_shuffle
// CHECK:         graph.transpose
func.func @other_transposes_are_no_shuffle(%x: tensor<2x6x4x4xf32>) -> tensor<2x6x4x4xf32> {
  %a = graph.reshape %x : tensor<2x6x4x4xf32> -> tensor<2x2x3x4x4xf32>
  %b = graph.transpose %a [0, 2, 1, 4, 3] : tensor<2x2x3x4x4xf32> -> tensor<2x3x2x4x4xf32>
  %y = graph.reshape %b : tensor<2x3x2x4x4xf32> -> tensor<2x6x4x4xf32>
  func.return %y : tensor<2x6x4x4xf32>
}

// CHECK-LABEL: func.func @channels_laid_out_as_pixels_are_depth_to_space
// CHECK-NEXT:    graph.depth_to_space %x block 2 order "crd" {lamina.source = "y"} : tensor<2x12x3x5xf32> -> tensor<2x3x6x10xf32>
// CHECK-NEXT:    graph.depth_to_space %x block 2 order "dcr" : tensor<2x12x3x5xf32> -> tensor<2x3x6x10xf32>
// CHECK-NEXT:    func.return
func.func @channels_laid_out_as_pixels_are_depth_to_space(%x: tensor<2x12x3x5xf32>) -> (tensor<2x3x6x10xf32>, tensor<2x3x6x10xf32>) {
  %a = graph.reshape %x : tensor<2x12x3x5xf32> -> tensor<2x3x2x2x3x5xf32>
  %b = graph.transpose %a [0, 1, 4, 2, 5, 3] : tensor<2x3x2x2x3x5xf32> -> tensor<2x3x3x2x5x2xf32>
  %y = graph.reshape %b {lamina.source = "y"} : tensor<2x3x3x2x5x2xf32> -> tensor<2x3x6x10xf32>
  %c = graph.reshape %x : tensor<2x12x3x5xf32> -> tensor<2x2x2x3x3x5xf32>
  %d = graph.transpose %c [0, 3, 4, 1, 5, 2] : tensor<2x2x2x3x3x5xf32> -> tensor<2x3x3x2x5x2xf32>
  %z = graph.reshape %d : tensor<2x3x3x2x5x2xf32> -> tensor<2x3x6x10xf32>
  func.return %y, %z : tensor<2x3x6x10xf32>, tensor<2x3x6x10xf32>
}

// CHECK-LABEL: func.func @pixels_laid_out_as_channels_are_space_to_depth
// CHECK-NEXT:    graph.space_to_depth %x block 2 order "crd" : tensor<2x3x6x10xf32> -> tensor<2x12x3x5xf32>
// CHECK-NEXT:    graph.space_to_depth %x block 2 order "dcr" : tensor<2x3x6x10xf32> -> tensor<2x12x3x5xf32>
// CHECK-NEXT:    func.return
func.func @pixels_laid_out_as_channels_are_space_to_depth(%x: tensor<2x3x6x10xf32>) -> (tensor<2x12x3x5xf32>, tensor<2x12x3x5xf32>) {
  %a = graph.reshape %x : tensor<2x3x6x10xf32> -> tensor<2x3x3x2x5x2xf32>
  %b = graph.transpose %a [0, 1, 3, 5, 2, 4] : tensor<2x3x3x2x5x2xf32> -> tensor<2x3x2x2x3x5xf32>
  %y = graph.reshape %b : tensor<2x3x2x2x3x5xf32> -> tensor<2x12x3x5xf32>
  %d = graph.transpose %a [0, 3, 5, 1, 2, 4] : tensor<2x3x3x2x5x2xf32> -> tensor<2x2x2x3x3x5xf32>
  %z = graph.reshape %d : tensor<2x2x2x3x3x5xf32> -> tensor<2x12x3x5xf32>
  func.return %y, %z : tensor<2x12x3x5xf32>, tensor<2x12x3x5xf32>
}

// CHECK-LABEL: func.func @blocks_that_are_not_square_stay
// CHECK:         graph.transpose
func.func @blocks_that_are_not_square_stay(%x: tensor<2x12x3x5xf32>) -> tensor<2x2x6x15xf32> {
  %a = graph.reshape %x : tensor<2x12x3x5xf32> -> tensor<2x2x2x3x3x5xf32>
  %b = graph.transpose %a [0, 1, 4, 2, 5, 3] : tensor<2x2x2x3x3x5xf32> -> tensor<2x2x3x2x5x3xf32>
  %y = graph.reshape %b : tensor<2x2x3x2x5x3xf32> -> tensor<2x2x6x15xf32>
  func.return %y : tensor<2x2x6x15xf32>
}

// CHECK-LABEL: func.func @broadcast_takes_the_place_of_a_tile
// CHECK-NEXT:    graph.mul %x, %g : (tensor<2x6x4x4xf32>, tensor<2x6x1x1xf32>) -> tensor<2x6x4x4xf32>
// CHECK-NEXT:    %[[T:.*]] = graph.tile %g : {{.*}} -> tensor<2x12x4x4xf32>
// CHECK-NEXT:    graph.mul %[[T]], %g1
func.func @broadcast_takes_the_place_of_a_tile(%x: tensor<2x6x4x4xf32>, %g: tensor<2x6x1x1xf32>, %g1: tensor<2x1x1x1xf32>) -> (tensor<2x6x4x4xf32>, tensor<2x12x4x4xf32>) {
  %t = graph.tile %g : tensor<2x6x1x1xf32> -> tensor<2x6x4x4xf32>
  %y = graph.mul %x, %t : (tensor<2x6x4x4xf32>, tensor<2x6x4x4xf32>) -> tensor<2x6x4x4xf32>
  %u = graph.tile %g : tensor<2x6x1x1xf32> -> tensor<2x12x4x4xf32>
  %z = graph.mul %u, %g1 : (tensor<2x12x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<2x12x4x4xf32>
  func.return %y, %z : tensor<2x6x4x4xf32>, tensor<2x12x4x4xf32>
}

// CHECK-LABEL: func.func @halves_of_a_shuffle_are_gathered_apart
// CHECK-NEXT:    graph.gather axis 1 [0, 2] %x
// CHECK-NEXT:    graph.gather axis 1 [1, 3] %x
// CHECK-NEXT:    func.return
func.func @halves_of_a_shuffle_are_gathered_apart(%x: tensor<1x4x2x2xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %g = graph.gather axis 1 [0, 2, 1, 3] %x : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
  %a = graph.slice %g starts [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<1x4x2x2xf32> -> tensor<1x2x2x2xf32>
  %b = graph.slice %g starts [0, 2, 0, 0] steps [1, 1, 1, 1] : tensor<1x4x2x2xf32> -> tensor<1x2x2x2xf32>
  func.return %a, %b : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// CHECK-LABEL: func.func @shuffle_that_is_read_whole_too_stays
// CHECK-NEXT:    graph.gather
// CHECK-NEXT:    graph.slice
func.func @shuffle_that_is_read_whole_too_stays(%x: tensor<1x4x2x2xf32>) -> (tensor<1x4x2x2xf32>, tensor<1x2x2x2xf32>) {
  %g = graph.gather axis 1 [0, 2, 1, 3] %x : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
  %a = graph.slice %g starts [0, 0, 0, 0] steps [1, 1, 1, 1] : tensor<1x4x2x2xf32> -> tensor<1x2x2x2xf32>
  func.return %g, %a : tensor<1x4x2x2xf32>, tensor<1x2x2x2xf32>
}

// CHECK-LABEL: func.func @map_is_transposed_before_it_is_rows
// CHECK-NEXT:    %[[T:.*]] = graph.transpose %x [0, 2, 3, 1] : tensor<1x4x2x3xf32> -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    graph.reshape %[[T]] : tensor<1x2x3x4xf32> -> tensor<1x6x4xf32>
func.func @map_is_transposed_before_it_is_rows(%x: tensor<1x4x2x3xf32>) -> tensor<1x6x4xf32> {
  %r = graph.reshape %x : tensor<1x4x2x3xf32> -> tensor<1x4x6xf32>
  %y = graph.transpose %r [0, 2, 1] : tensor<1x4x6xf32> -> tensor<1x6x4xf32>
  func.return %y : tensor<1x6x4xf32>
}

// CHECK-LABEL: func.func @rows_are_a_map_before_it_is_transposed
// CHECK-NEXT:    %[[R:.*]] = graph.reshape %x : tensor<1x6x4xf32> -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    graph.transpose %[[R]] [0, 3, 1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4x2x3xf32>
func.func @rows_are_a_map_before_it_is_transposed(%x: tensor<1x6x4xf32>) -> tensor<1x4x2x3xf32> {
  %t = graph.transpose %x [0, 2, 1] : tensor<1x6x4xf32> -> tensor<1x4x6xf32>
  %y = graph.reshape %t : tensor<1x4x6xf32> -> tensor<1x4x2x3xf32>
  func.return %y : tensor<1x4x2x3xf32>
}
