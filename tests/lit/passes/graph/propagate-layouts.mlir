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

// exp(0) is 1, so the kernel will have to write zeros into the 12 lanes that pad the last block.
// CHECK-LABEL: func.func @op_that_is_not_zero_at_zero_follows
// CHECK:         graph.exp %x : {{.*}} -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
func.func @op_that_is_not_zero_at_zero_follows(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.exp %p : tensor<1x20x4x4xf32> -> tensor<1x20x4x4xf32>
  func.return %y : tensor<1x20x4x4xf32>
}

// CHECK-LABEL: func.func @interleave_of_whole_blocks_follows
// CHECK:         graph.interleave %x {{.*}} -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
func.func @interleave_of_whole_blocks_follows(%x: tensor<1x64x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x16x8x8xf32> {
  %p = graph.relayout %x : tensor<1x64x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x64x4x4xf32>
  %y = graph.interleave %p steps [2, 2] offsets [0, 0] groups 1 : tensor<1x64x4x4xf32> -> tensor<1x16x8x8xf32>
  func.return %y : tensor<1x16x8x8xf32>
}

// A block of the result holds elements of many blocks: they are moved one by one, but once.
// CHECK-LABEL: func.func @interleave_inside_a_block_follows
// CHECK:         graph.interleave %x {{.*}} -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
func.func @interleave_inside_a_block_follows(%x: tensor<1x64x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x16x8x8xf32> {
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

// CHECK-LABEL: func.func @concat_inside_a_block_follows
// CHECK:         graph.concat axis 1 %x, %{{.*}} : {{.*}} -> tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>
func.func @concat_inside_a_block_follows(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>, %b: tensor<1x20x4x4xf32>) -> tensor<1x40x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.concat axis 1 %p, %b : (tensor<1x20x4x4xf32>, tensor<1x20x4x4xf32>) -> tensor<1x40x4x4xf32>
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

// CHECK-LABEL: func.func @normalization_over_blocks_follows
// CHECK:         graph.normalize %x axes [1] {{.*}} -> tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.softmax axis 1 %{{.*}} -> tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>
func.func @normalization_over_blocks_follows(%x: tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x40x4x4xf32> {
  %p = graph.relayout %x : tensor<1x40x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x40x4x4xf32>
  %n = graph.normalize %p axes [1] epsilon 0.1 : tensor<1x40x4x4xf32> -> tensor<1x40x4x4xf32>
  %y = graph.softmax axis 1 %n : tensor<1x40x4x4xf32> -> tensor<1x40x4x4xf32>
  func.return %y : tensor<1x40x4x4xf32>
}

// There is one block, and it is not whole: sums over the map's rows are faster.
// CHECK-LABEL: func.func @softmax_of_few_channels_stays
// CHECK:         graph.softmax axis 1 %{{.*}} -> tensor<1x21x4x4xf32>
func.func @softmax_of_few_channels_stays(%x: tensor<1x21x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x21x4x4xf32> {
  %p = graph.relayout %x : tensor<1x21x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x21x4x4xf32>
  %y = graph.softmax axis 1 %p : tensor<1x21x4x4xf32> -> tensor<1x21x4x4xf32>
  func.return %y : tensor<1x21x4x4xf32>
}

// CHECK-LABEL: func.func @slice_of_whole_blocks_follows
// CHECK:         graph.slice %x starts [0, 16, 1, 0] steps [1, 1, 1, 2] : {{.*}} -> tensor<1x16x3x2xf32, #graph.layout<NCHW16c>>
func.func @slice_of_whole_blocks_follows(%x: tensor<1x48x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x16x3x2xf32> {
  %p = graph.relayout %x : tensor<1x48x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x48x4x4xf32>
  %y = graph.slice %p starts [0, 16, 1, 0] steps [1, 1, 1, 2] : tensor<1x48x4x4xf32> -> tensor<1x16x3x2xf32>
  func.return %y : tensor<1x16x3x2xf32>
}

// CHECK-LABEL: func.func @slice_inside_a_block_follows
// CHECK:         graph.slice %x starts [0, 8, 0, 0] steps [1, 1, 1, 1] : {{.*}} -> tensor<1x16x4x4xf32, #graph.layout<NCHW16c>>
func.func @slice_inside_a_block_follows(%x: tensor<1x48x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x16x4x4xf32> {
  %p = graph.relayout %x : tensor<1x48x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x48x4x4xf32>
  %y = graph.slice %p starts [0, 8, 0, 0] steps [1, 1, 1, 1] : tensor<1x48x4x4xf32> -> tensor<1x16x4x4xf32>
  func.return %y : tensor<1x16x4x4xf32>
}

// Three channels would be a block of 13 zeros each; they are read from blocks all the same.
// CHECK-LABEL: func.func @few_that_are_left_of_many_are_plain
// CHECK:         graph.gather axis 1 [0, 2, 1, 3] %x : {{.*}} -> tensor<1x4x4x4xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.gather axis 1 [3, 0, 1] %x : {{.*}} -> tensor<1x3x4x4xf32>
func.func @few_that_are_left_of_many_are_plain(%x: tensor<1x4x4x4xf32, #graph.layout<NCHW16c>>) -> (tensor<1x4x4x4xf32>, tensor<1x3x4x4xf32>) {
  %p = graph.relayout %x : tensor<1x4x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x4x4x4xf32>
  %y = graph.gather axis 1 [0, 2, 1, 3] %p : tensor<1x4x4x4xf32> -> tensor<1x4x4x4xf32>
  %z = graph.gather axis 1 [3, 0, 1] %p : tensor<1x4x4x4xf32> -> tensor<1x3x4x4xf32>
  func.return %y, %z : tensor<1x4x4x4xf32>, tensor<1x3x4x4xf32>
}

// One number for all channels is read as it is.
// CHECK-LABEL: func.func @what_is_broadcast_over_channels_stays_plain
// CHECK:         graph.mul %x, %m : (tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>, tensor<1x1x4x4xf32>) -> tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>
func.func @what_is_broadcast_over_channels_stays_plain(%x: tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>, %m: tensor<1x1x4x4xf32>) -> tensor<1x40x4x4xf32> {
  %p = graph.relayout %x : tensor<1x40x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x40x4x4xf32>
  %y = graph.mul %p, %m : (tensor<1x40x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x40x4x4xf32>
  func.return %y : tensor<1x40x4x4xf32>
}

// CHECK-LABEL: func.func @reduction_follows_where_blocks_stay
// CHECK:         graph.reduce "max" %x over [2, 3] : {{.*}} -> tensor<1x20x1x1xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.reduce "max" %x over [1] : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x1x4x4xf32>
func.func @reduction_follows_where_blocks_stay(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> (tensor<1x20x1x1xf32>, tensor<1x1x4x4xf32>) {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.reduce "max" %p over [2, 3] : tensor<1x20x4x4xf32> -> tensor<1x20x1x1xf32>
  %z = graph.reduce "max" %p over [1] : tensor<1x20x4x4xf32> -> tensor<1x1x4x4xf32>
  func.return %y, %z : tensor<1x20x1x1xf32>, tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @depth_in_whole_blocks_follows
// CHECK:         graph.depth_to_space %x block 2 order "dcr" : {{.*}} -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.tile %x : {{.*}} -> tensor<1x128x4x8xf32, #graph.layout<NCHW16c>>
func.func @depth_in_whole_blocks_follows(%x: tensor<1x64x4x4xf32, #graph.layout<NCHW16c>>) -> (tensor<1x16x8x8xf32>, tensor<1x128x4x8xf32>) {
  %p = graph.relayout %x : tensor<1x64x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x64x4x4xf32>
  %y = graph.depth_to_space %p block 2 order "dcr" : tensor<1x64x4x4xf32> -> tensor<1x16x8x8xf32>
  %z = graph.tile %p : tensor<1x64x4x4xf32> -> tensor<1x128x4x8xf32>
  func.return %y, %z : tensor<1x16x8x8xf32>, tensor<1x128x4x8xf32>
}

// CHECK-LABEL: func.func @resampling_follows_where_blocks_stay
// CHECK:         graph.repeat %x : {{.*}} -> tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>
// CHECK-NOT:     graph.relayout %i
// CHECK:         graph.resample %x over [3] at(%i : tensor<5x1xi32>) : {{.*}} -> tensor<1x20x4x5xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.repeat %x : {{.*}} -> tensor<1x40x4x4xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.resample %x over [1] at(%i : tensor<5x1xi32>) : {{.*}} -> tensor<1x5x4x4xf32>
func.func @resampling_follows_where_blocks_stay(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>, %i: tensor<5x1xi32>) -> (tensor<1x20x8x8xf32>, tensor<1x20x4x5xf32>, tensor<1x40x4x4xf32>, tensor<1x5x4x4xf32>) {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %a = graph.repeat %p : tensor<1x20x4x4xf32> -> tensor<1x20x8x8xf32>
  %b = graph.resample %p over [3] at(%i : tensor<5x1xi32>) : tensor<1x20x4x4xf32> -> tensor<1x20x4x5xf32>
  %c = graph.repeat %p : tensor<1x20x4x4xf32> -> tensor<1x40x4x4xf32>
  %d = graph.resample %p over [1] at(%i : tensor<5x1xi32>) : tensor<1x20x4x4xf32> -> tensor<1x5x4x4xf32>
  func.return %a, %b, %c, %d : tensor<1x20x8x8xf32>, tensor<1x20x4x5xf32>, tensor<1x40x4x4xf32>, tensor<1x5x4x4xf32>
}

// CHECK-LABEL: func.func @indices_stay_as_they_are
// CHECK:         graph.take axis 1 %{{.*}} at %i : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>, tensor<20xi64> -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
func.func @indices_stay_as_they_are(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>, %i: tensor<20xi64>) -> tensor<1x20x4x4xf32> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %y = graph.take axis 1 %p at %i : tensor<1x32x4x4xf32>, tensor<20xi64> -> tensor<1x20x4x4xf32>
  func.return %y : tensor<1x20x4x4xf32>
}

// CHECK-LABEL: func.func @sampling_follows_and_reads_its_tables_as_they_are
// CHECK:         graph.sample %x at(%i, %i : tensor<1x1x5x7xi32>, tensor<1x1x5x7xi32>) : {{.*}} -> tensor<1x20x5x7xf32, #graph.layout<NCHW16c>>
func.func @sampling_follows_and_reads_its_tables_as_they_are(%x: tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>, %i: tensor<1x1x5x7xi32>) -> tensor<1x20x5x7xf32> {
  %p = graph.relayout %x : tensor<1x20x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x20x8x8xf32>
  %y = graph.sample %p at(%i, %i : tensor<1x1x5x7xi32>, tensor<1x1x5x7xi32>) : tensor<1x20x8x8xf32> -> tensor<1x20x5x7xf32>
  func.return %y : tensor<1x20x5x7xf32>
}

// CHECK-LABEL: func.func @concat_of_what_is_mostly_plain_is_plain
// CHECK:         graph.concat axis 1 %x, %b : (tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>, tensor<1x40x4x4xf32>) -> tensor<1x60x4x4xf32>
func.func @concat_of_what_is_mostly_plain_is_plain(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>, %b: tensor<1x40x4x4xf32>) -> tensor<1x60x4x4xf32> {
  %p = graph.relayout %x : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  %y = graph.concat axis 1 %p, %b : (tensor<1x20x4x4xf32>, tensor<1x40x4x4xf32>) -> tensor<1x60x4x4xf32>
  func.return %y : tensor<1x60x4x4xf32>
}

// The gate is small: it goes where the map is.
// CHECK-LABEL: func.func @map_times_a_blocked_gate_stays
// CHECK:         graph.mul %{{.*}}, %{{.*}} -> tensor<1x40x4x4xf32>
func.func @map_times_a_blocked_gate_stays(%x: tensor<1x40x4x4xf32>, %g: tensor<1x40x1x1xf32, #graph.layout<NCHW16c>>) -> tensor<1x40x4x4xf32> {
  %p = graph.relayout %g : tensor<1x40x1x1xf32, #graph.layout<NCHW16c>> -> tensor<1x40x1x1xf32>
  %y = graph.mul %x, %p : (tensor<1x40x4x4xf32>, tensor<1x40x1x1xf32>) -> tensor<1x40x4x4xf32>
  func.return %y : tensor<1x40x4x4xf32>
}

// CHECK-LABEL: func.func @copy_between_devices_hands_on_blocks
// CHECK-NEXT:    %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
// CHECK:         %[[C:.*]] = graph.device_copy %a {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
// CHECK:         graph.relu %[[C]] {device = "cpu"} : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
func.func @copy_between_devices_hands_on_blocks(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x4x4xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
  %b = graph.relayout %a : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %c = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32>
  %d = graph.relu %c {device = "cpu"} : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32>
  func.return %d : tensor<1x32x4x4xf32>
}

// The host would have to unpack it.
// CHECK-LABEL: func.func @copy_of_a_result_stays_plain
// CHECK:         %b = graph.relayout %a : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
// CHECK-NEXT:    %c = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32>
// CHECK-NEXT:    func.return %c
func.func @copy_of_a_result_stays_plain(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x4x4xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
  %b = graph.relayout %a : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %c = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32>
  func.return %c : tensor<1x32x4x4xf32>
}
