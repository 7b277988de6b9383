// RUN: lamina-opt %s -p assign-halos | filecheck %s

// CHECK-LABEL: func.func @producer_writes_the_border_that_a_window_reads
// CHECK-NEXT:    %[[R:.*]] = graph.relu %x : {{.*}} -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
// CHECK-NEXT:    graph.conv2d %[[R]], %w
func.func @producer_writes_the_border_that_a_window_reads(%x: tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, %w: tensor<16x16x3x3xf32>) -> tensor<1x16x8x8xf32> {
  %r = graph.relu %x : tensor<1x16x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
  %y = graph.conv2d %r, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, tensor<16x16x3x3xf32>) -> tensor<1x16x8x8xf32>
  func.return %y : tensor<1x16x8x8xf32>
}

// CHECK-LABEL: func.func @widest_window_decides
// CHECK-NEXT:    graph.relu %x : {{.*}} -> tensor<1x16x8x8xf32, #graph.layout<NCHW, halo [1:1, 2:2]>>
func.func @widest_window_decides(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x1xf32>, %v: tensor<16x16x1x5xf32>) -> (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) {
  %r = graph.relu %x : tensor<1x16x8x8xf32> -> tensor<1x16x8x8xf32>
  %y = graph.conv2d %r, %w strides [1, 1] pads [1, 0, 1, 0] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32>, tensor<16x16x3x1xf32>) -> tensor<1x16x8x8xf32>
  %z = graph.conv2d %r, %v strides [1, 1] pads [0, 2, 0, 2] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32>, tensor<16x16x1x5xf32>) -> tensor<1x16x8x8xf32>
  func.return %y, %z : tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>
}

// Nobody here writes an argument, so it is copied, for the window alone.
// CHECK-LABEL: func.func @input_of_the_network_is_copied
// CHECK-NEXT:    %[[C:.*]] = graph.relayout %x : tensor<1x3x8x8xf32> -> tensor<1x3x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    graph.relu %x
// CHECK-NEXT:    graph.conv2d %[[C]], %w
func.func @input_of_the_network_is_copied(%x: tensor<1x3x8x8xf32>, %w: tensor<16x3x3x3xf32>) -> (tensor<1x3x8x8xf32>, tensor<1x16x8x8xf32>) {
  %r = graph.relu %x : tensor<1x3x8x8xf32> -> tensor<1x3x8x8xf32>
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>) -> tensor<1x16x8x8xf32>
  func.return %r, %y : tensor<1x3x8x8xf32>, tensor<1x16x8x8xf32>
}

// A maximum must not see the zeros of a halo.
// CHECK-LABEL: func.func @padded_maximum_keeps_its_input_without_halo
// CHECK-NEXT:    %[[R:.*]] = graph.relu %x : tensor<1x16x8x8xf32> -> tensor<1x16x8x8xf32>
// CHECK-NEXT:    %[[C:.*]] = graph.relayout %[[R]]
// CHECK-NEXT:    graph.max_pool2d %[[R]]
// CHECK-NEXT:    graph.conv2d %[[C]], %w
func.func @padded_maximum_keeps_its_input_without_halo(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>) -> (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) {
  %r = graph.relu %x : tensor<1x16x8x8xf32> -> tensor<1x16x8x8xf32>
  %p = graph.max_pool2d %r kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] : tensor<1x16x8x8xf32> -> tensor<1x16x8x8xf32>
  %y = graph.conv2d %r, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>) -> tensor<1x16x8x8xf32>
  func.return %p, %y : tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>
}

// With stride 2 the last window ends inside: padding after the image is never read.
// CHECK-LABEL: func.func @padding_that_no_window_reaches_needs_no_halo
// CHECK-NEXT:    graph.relu %x : tensor<1x16x8x8xf32> -> tensor<1x16x8x8xf32>
func.func @padding_that_no_window_reaches_needs_no_halo(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x2x2xf32>) -> tensor<1x16x4x4xf32> {
  %r = graph.relu %x : tensor<1x16x8x8xf32> -> tensor<1x16x8x8xf32>
  %y = graph.conv2d %r, %w strides [2, 2] pads [0, 0, 1, 1] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32>, tensor<16x16x2x2xf32>) -> tensor<1x16x4x4xf32>
  func.return %y : tensor<1x16x4x4xf32>
}

// A reshape is a view of rows without gaps; types of fused regions and of functions stay.
// CHECK-LABEL: func.func @value_that_others_read_as_it_is_stored_is_copied
// CHECK:         %r = graph.relu %x : tensor<1x4x6x6xf32> -> tensor<1x4x6x6xf32>
// CHECK-NEXT:    %[[C:.*]] = graph.relayout %r : tensor<1x4x6x6xf32> -> tensor<1x4x6x6xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    graph.reshape %r
// CHECK-NEXT:    graph.conv2d %[[C]], %w
func.func @value_that_others_read_as_it_is_stored_is_copied(%x: tensor<1x4x6x6xf32>, %w: tensor<4x4x3x3xf32>) -> (tensor<144xf32>, tensor<1x4x6x6xf32>) {
  %r = graph.relu %x : tensor<1x4x6x6xf32> -> tensor<1x4x6x6xf32>
  %v = graph.reshape %r : tensor<1x4x6x6xf32> -> tensor<144xf32>
  %y = graph.conv2d %r, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  func.return %v, %y : tensor<144xf32>, tensor<1x4x6x6xf32>
}

// CHECK-LABEL: func.func @result_of_a_call_is_copied
// CHECK-NEXT:    %f = func.call @kernel(%x) : (tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
// CHECK-NEXT:    %[[F:.*]] = graph.relayout %f
// CHECK-NEXT:    graph.conv2d %[[F]], %w
func.func @result_of_a_call_is_copied(%x: tensor<1x4x6x6xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32> {
  %f = func.call @kernel(%x) : (tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %y = graph.conv2d %f, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  func.return %y : tensor<1x4x6x6xf32>
}
func.func private @kernel(tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>

// CHECK-LABEL: func.func @result_of_a_fused_region_is_copied
// CHECK:         %f = graph.fused(%x)
// CHECK:         %[[G:.*]] = graph.relayout %f
// CHECK-NEXT:    graph.conv2d %[[G]], %w
func.func @result_of_a_fused_region_is_copied(%x: tensor<1x4x6x6xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32> {
  %f = graph.fused(%x) ({
  ^bb0(%a: tensor<1x4x6x6xf32>):
    %b = graph.relu %a : tensor<1x4x6x6xf32> -> tensor<1x4x6x6xf32>
    graph.yield %b : tensor<1x4x6x6xf32>
  }) : (tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %y = graph.conv2d %f, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  func.return %y : tensor<1x4x6x6xf32>
}

// Tiles of 4 rows cover 14 with 16, and read one before and one after these.
// CHECK-LABEL: func.func @tiles_read_beyond_the_edge_that_they_do_not_divide
// CHECK-NEXT:    %[[R:.*]] = graph.relu %x : {{.*}} -> tensor<1x16x14x8xf32, #graph.layout<NCHW16c, halo [3:3, 1:1]>>
// CHECK-NEXT:    graph.winograd_input %[[R]]
func.func @tiles_read_beyond_the_edge_that_they_do_not_divide(%x: tensor<1x16x14x8xf32, #graph.layout<NCHW16c>>) -> tensor<1x576x4x2xf32> {
  %r = graph.relu %x : tensor<1x16x14x8xf32, #graph.layout<NCHW16c>> -> tensor<1x16x14x8xf32, #graph.layout<NCHW16c>>
  %y = graph.winograd_input %r tile 4 pads [1, 1, 1, 1] : tensor<1x16x14x8xf32, #graph.layout<NCHW16c>> -> tensor<1x576x4x2xf32>
  func.return %y : tensor<1x576x4x2xf32>
}

// CHECK-LABEL: func.func @parts_of_a_concat_in_place_have_its_halo
// CHECK:         %a = graph.relu %x : {{.*}} -> tensor<1x2x6x6xf32, #graph.layout<NCHW, halo [2:2, 2:2]>>
// CHECK-NEXT:    %b = graph.exp %x : {{.*}} -> tensor<1x2x6x6xf32, #graph.layout<NCHW, halo [2:2, 2:2]>>
// CHECK-NEXT:    %y = graph.concat axis 1 in_place %a, %b : {{.*}} -> tensor<1x4x6x6xf32, #graph.layout<NCHW, halo [2:2, 2:2]>>
// CHECK-NEXT:    %s = graph.slice %y {{.*}} in_place : {{.*}} -> tensor<1x2x6x6xf32, #graph.layout<NCHW, halo [2:2, 2:2]>>
func.func @parts_of_a_concat_in_place_have_its_halo(%x: tensor<1x2x6x6xf32>, %w: tensor<4x4x3x3xf32>, %v: tensor<4x2x5x5xf32>) -> (tensor<1x4x6x6xf32>, tensor<1x4x6x6xf32>) {
  %a = graph.relu %x : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %b = graph.exp %x : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %y = graph.concat axis 1 in_place %a, %b : (tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>) -> tensor<1x4x6x6xf32>
  %s = graph.slice %y starts [0, 1, 0, 0] steps [1, 1, 1, 1] in_place : tensor<1x4x6x6xf32> -> tensor<1x2x6x6xf32>
  %c = graph.conv2d %y, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  %d = graph.conv2d %s, %v strides [1, 1] pads [2, 2, 2, 2] dilations [1, 1] groups 1 : (tensor<1x2x6x6xf32>, tensor<4x2x5x5xf32>) -> tensor<1x4x6x6xf32>
  func.return %c, %d : tensor<1x4x6x6xf32>, tensor<1x4x6x6xf32>
}

// CHECK-LABEL: func.func @part_that_is_a_result_leaves_windows_a_copy
// CHECK:         %y = graph.concat axis 1 in_place %a, %b : {{.*}} -> tensor<1x4x6x6xf32>
// CHECK-NEXT:    %[[C:.*]] = graph.relayout %y
// CHECK-NEXT:    graph.conv2d %[[C]], %w
func.func @part_that_is_a_result_leaves_windows_a_copy(%x: tensor<1x2x6x6xf32>, %w: tensor<4x4x3x3xf32>) -> (tensor<1x2x6x6xf32>, tensor<1x4x6x6xf32>) {
  %a = graph.relu %x : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %b = graph.exp %x : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %y = graph.concat axis 1 in_place %a, %b : (tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>) -> tensor<1x4x6x6xf32>
  %c = graph.conv2d %y, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  func.return %a, %c : tensor<1x2x6x6xf32>, tensor<1x4x6x6xf32>
}

// A maximum over the border of %a must not see zeros, so that %a alone has no halo.
// CHECK-LABEL: func.func @operands_of_a_concat_have_its_halo_if_they_may
// CHECK:         %a = graph.relu %x : {{.*}} -> tensor<1x2x6x6xf32>
// CHECK-NEXT:    %b = graph.exp %x : {{.*}} -> tensor<1x2x6x6xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    %y = graph.concat axis 1 %a, %b : {{.*}} -> tensor<1x4x6x6xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
func.func @operands_of_a_concat_have_its_halo_if_they_may(%x: tensor<1x2x6x6xf32>, %w: tensor<4x4x3x3xf32>) -> (tensor<1x2x6x6xf32>, tensor<1x4x6x6xf32>) {
  %a = graph.relu %x : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %b = graph.exp %x : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %y = graph.concat axis 1 %a, %b : (tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>) -> tensor<1x4x6x6xf32>
  %m = graph.max_pool2d %a kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] : tensor<1x2x6x6xf32> -> tensor<1x2x6x6xf32>
  %c = graph.conv2d %y, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  func.return %m, %c : tensor<1x2x6x6xf32>, tensor<1x4x6x6xf32>
}

// Two windows take 128 to be around the image, one takes 3 to be there, one reads only inside.
// CHECK-LABEL: func.func @border_is_what_windows_take_to_be_there
// CHECK-NEXT:    %r = graph.relu %x : {{.*}} -> tensor<1x4x8x8xui8, #graph.layout<NCHW, halo [2:2, 2:2] of 128>>
// CHECK-NEXT:    %[[C:.*]] = graph.relayout %r : {{.*}} -> tensor<1x4x8x8xui8, #graph.layout<NCHW, halo [1:1, 1:1] of 3>>
// CHECK-NEXT:    graph.conv2d %r, %w {{.*}} fill 128
// CHECK-NEXT:    graph.conv2d %r, %v {{.*}} fill 128
// CHECK-NEXT:    graph.conv2d %[[C]], %w {{.*}} fill 3
// CHECK-NEXT:    graph.conv2d %r, %w {{.*}} fill 7
func.func @border_is_what_windows_take_to_be_there(%x: tensor<1x4x8x8xui8>, %w: tensor<4x4x3x3xi8>, %v: tensor<4x4x5x5xi8>) -> (tensor<1x4x8x8xi32>, tensor<1x4x8x8xi32>, tensor<1x4x8x8xi32>, tensor<1x4x6x6xi32>) {
  %r = graph.relu %x : tensor<1x4x8x8xui8> -> tensor<1x4x8x8xui8>
  %a = graph.conv2d %r, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 128 : (tensor<1x4x8x8xui8>, tensor<4x4x3x3xi8>) -> tensor<1x4x8x8xi32>
  %b = graph.conv2d %r, %v strides [1, 1] pads [2, 2, 2, 2] dilations [1, 1] groups 1 fill 128 : (tensor<1x4x8x8xui8>, tensor<4x4x5x5xi8>) -> tensor<1x4x8x8xi32>
  %c = graph.conv2d %r, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 3 : (tensor<1x4x8x8xui8>, tensor<4x4x3x3xi8>) -> tensor<1x4x8x8xi32>
  %d = graph.conv2d %r, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 fill 7 : (tensor<1x4x8x8xui8>, tensor<4x4x3x3xi8>) -> tensor<1x4x6x6xi32>
  func.return %a, %b, %c, %d : tensor<1x4x8x8xi32>, tensor<1x4x8x8xi32>, tensor<1x4x8x8xi32>, tensor<1x4x6x6xi32>
}

// CHECK-LABEL: func.func @operands_of_a_concat_with_other_borders_are_copied
// CHECK:         %a = graph.relu %x : {{.*}} -> tensor<1x2x6x6xui8, #graph.layout<NCHW, halo [1:1, 1:1] of 5>>
// CHECK-NEXT:    %b = graph.neg %x : {{.*}} -> tensor<1x2x6x6xui8, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    %y = graph.concat axis 1 %a, %b : {{.*}} -> tensor<1x4x6x6xui8, #graph.layout<NCHW, halo [1:1, 1:1]>>
func.func @operands_of_a_concat_with_other_borders_are_copied(%x: tensor<1x2x6x6xui8>, %w: tensor<4x4x3x3xi8>, %v: tensor<4x2x3x3xi8>) -> (tensor<1x4x6x6xi32>, tensor<1x4x6x6xi32>) {
  %a = graph.relu %x : tensor<1x2x6x6xui8> -> tensor<1x2x6x6xui8>
  %b = graph.neg %x : tensor<1x2x6x6xui8> -> tensor<1x2x6x6xui8>
  %y = graph.concat axis 1 %a, %b : (tensor<1x2x6x6xui8>, tensor<1x2x6x6xui8>) -> tensor<1x4x6x6xui8>
  %c = graph.conv2d %y, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x6x6xui8>, tensor<4x4x3x3xi8>) -> tensor<1x4x6x6xi32>
  %d = graph.conv2d %a, %v strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 5 : (tensor<1x2x6x6xui8>, tensor<4x2x3x3xi8>) -> tensor<1x4x6x6xi32>
  func.return %c, %d : tensor<1x4x6x6xi32>, tensor<1x4x6x6xi32>
}

// The device that makes a tensor writes the border that windows on another one read. An
// input has none: who reads it makes a copy.
// CHECK-LABEL: func.func @copies_on_other_devices_have_the_same_border
// CHECK:         %c_1 = graph.relayout %c : {{.*}} -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    %r = graph.relu %c : {{.*}} -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    %d = graph.device_copy %r {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    graph.conv2d %d, %w
// CHECK-NEXT:    graph.conv2d %c_1, %w
func.func @copies_on_other_devices_have_the_same_border(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x3x3xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %c = graph.device_copy %x {source = "cpu", to = "opencl:intel-gen9"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %r = graph.relu %c : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %d = graph.device_copy %r {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %a = graph.conv2d %d, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x8x8xf32>
  %b = graph.conv2d %c, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x8x8xf32>
  func.return %a, %b : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}
