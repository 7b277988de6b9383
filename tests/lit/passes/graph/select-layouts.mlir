// RUN: lamina-opt %s -p 'select-layouts{target="cpu:skylake-avx512"}' | filecheck %s
// RUN: lamina-opt %s -p 'select-layouts{target="cpu:skylake-avx512" search=greedy}' | filecheck %s --check-prefix GREEDY
// RUN: lamina-opt %s -p 'select-layouts{target="cpu:skylake-avx512" search=nhwc}' | filecheck %s --check-prefix NHWC
// RUN: lamina-opt %s -p 'select-layouts{target="cpu:skylake-avx512" search=nchw}' | filecheck %s --check-prefix NCHW
// RUN: lamina-opt %s -p select-layouts{search=blocked} | filecheck %s --check-prefix RULE
// RUN: lamina-opt %s -p 'select-layouts{target="opencl:intel-gen9"}' | filecheck %s --check-prefix SUBGROUPS
// RUN: lamina-opt %s -p 'select-layouts{target="opencl:intel-gen9" search=blocked}' | filecheck %s --check-prefix GPU
// RUN: lamina-opt %s -p select-layouts{search=best} --verify-diagnostics | filecheck %s --check-prefix BAD

// BAD: select-layouts: search is one of exact, heuristic, greedy, usual, nhwc, nchw, blocked, got 'best'

// What slides a window over each channel alone is faster in blocks, but of 24 channels the other
// convolutions would compute 32; where they start and what they end in, all of them agree.
// CHECK-LABEL: func.func @agreement_at_an_add_decides
// CHECK-NOT:     graph.relayout %m
// CHECK:         %[[A:.*]] = graph.conv2d %m, {{.*}} -> tensor<1x24x28x28xf32>
// CHECK:         %[[B:.*]] = graph.conv2d %m, {{.*}} -> tensor<1x24x28x28xf32>
// CHECK-NEXT:    %[[S:.*]] = graph.add %[[A]], %[[B]] : {{.*}} -> tensor<1x24x28x28xf32>
// CHECK:         %[[Y:.*]] = graph.conv2d %[[S]], {{.*}} -> tensor<1x64x28x28xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    graph.global_avg_pool %[[Y]] : tensor<1x64x28x28xf32, #graph.layout<NCHW16c>> -> tensor<1x64x1x1xf32, #graph.layout<NCHW16c>>

// Each convolution by itself would have it otherwise, and the network pays for it.
// GREEDY-LABEL: func.func @agreement_at_an_add_decides
// GREEDY:         %[[X:.*]] = graph.relayout %x : {{.*}} -> tensor<1x64x28x28xf32, #graph.layout<NCHW16c>>
// GREEDY:         %[[M:.*]] = graph.conv2d %[[X]], {{.*}} -> tensor<1x64x28x28xf32, #graph.layout<NCHW16c>>
// GREEDY-NEXT:    graph.relayout %[[M]] : tensor<1x64x28x28xf32, #graph.layout<NCHW16c>> -> tensor<1x64x28x28xf32>

// Where a subgroup computes 16 channels, 24 of them are two blocks, of which channels last store no
// part that stands for nothing; weights are read by one vector at a time.
// SUBGROUPS-LABEL: func.func @agreement_at_an_add_decides
// SUBGROUPS:         graph.relayout %p : tensor<24x64x1x1xf32> -> tensor<24x64x1x1xf32, #graph.layout<OIHW16o>>
// SUBGROUPS:         %[[S:.*]] = graph.add {{.*}} -> tensor<1x24x28x28xf32, #graph.layout<NHWC>>
// SUBGROUPS-NOT:     graph.relayout %[[S]]
// SUBGROUPS:         graph.conv2d %[[S]], {{.*}} -> tensor<1x64x28x28xf32, #graph.layout<NCHW16c>>

// NHWC-LABEL: func.func @agreement_at_an_add_decides
// NHWC-NEXT:    %[[X:.*]] = graph.relayout %x : {{.*}} -> tensor<1x64x28x28xf32, #graph.layout<NHWC>>
// NHWC-NEXT:    %[[D:.*]] = graph.relayout %d : tensor<64x1x3x3xf32> -> tensor<64x1x3x3xf32, #graph.layout<HWIO>>
// NHWC-NEXT:    graph.conv2d %[[X]], %[[D]]
// NHWC:         graph.relayout %p : tensor<24x64x1x1xf32> -> tensor<24x64x1x1xf32, #graph.layout<OHWI32o>>
// NHWC:         graph.add {{.*}} -> tensor<1x24x28x28xf32, #graph.layout<NHWC>>

// NCHW-LABEL: func.func @agreement_at_an_add_decides
// NCHW-NOT:     NCHW16c
// NCHW-NOT:     NHWC
func.func @agreement_at_an_add_decides(%x: tensor<1x64x28x28xf32>, %d: tensor<64x1x3x3xf32>, %p: tensor<24x64x1x1xf32>, %q: tensor<24x64x1x1xf32>, %r: tensor<64x24x3x3xf32>) -> tensor<1x64x1x1xf32> {
  %m = graph.conv2d %x, %d strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 64 : (tensor<1x64x28x28xf32>, tensor<64x1x3x3xf32>) -> tensor<1x64x28x28xf32>
  %a = graph.conv2d %m, %p strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x64x28x28xf32>, tensor<24x64x1x1xf32>) -> tensor<1x24x28x28xf32>
  %b = graph.conv2d %m, %q strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x64x28x28xf32>, tensor<24x64x1x1xf32>) -> tensor<1x24x28x28xf32>
  %s = graph.add %a, %b : (tensor<1x24x28x28xf32>, tensor<1x24x28x28xf32>) -> tensor<1x24x28x28xf32>
  %y = graph.conv2d %s, %r strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x24x28x28xf32>, tensor<64x24x3x3xf32>) -> tensor<1x64x28x28xf32>
  %z = graph.global_avg_pool %y : tensor<1x64x28x28xf32> -> tensor<1x64x1x1xf32>
  func.return %z : tensor<1x64x1x1xf32>
}

// The first two read one copy of %x; the transform is made once.
// NHWC-LABEL: func.func @readers_share_a_copy
// NHWC-NEXT:    %[[X:.*]] = graph.relayout %x : {{.*}} -> tensor<2x20x9x9xf32, #graph.layout<NHWC>>
// NHWC-NOT:     graph.relayout %x
// NHWC:         graph.conv2d %[[X]]
// NHWC:         graph.conv2d %[[X]]
// NHWC:         func.return
func.func @readers_share_a_copy(%x: tensor<2x20x9x9xf32>, %w: tensor<48x20x1x1xf32>) -> (tensor<2x48x9x9xf32>, tensor<2x48x9x9xf32>) {
  %a = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<2x20x9x9xf32>, tensor<48x20x1x1xf32>) -> tensor<2x48x9x9xf32>
  %b = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<2x20x9x9xf32>, tensor<48x20x1x1xf32>) -> tensor<2x48x9x9xf32>
  func.return %a, %b : tensor<2x48x9x9xf32>, tensor<2x48x9x9xf32>
}

// RULE-LABEL: func.func @channels_go_in_blocks_of_16_and_weights_in_the_order_they_are_read
// RULE-NEXT:    %[[X:.*]] = graph.relayout %x : tensor<1x64x8x8xf32> -> tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>
// RULE-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<64x64x3x3xf32> -> tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>
// RULE-NEXT:    %[[Y:.*]] = graph.conv2d %[[X]], %[[W]] strides
// RULE-SAME:      -> tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>
// RULE-NEXT:    %[[Z:.*]] = graph.relayout %[[Y]] {lamina.source = "conv1"}
// RULE-NEXT:    func.return %[[Z]] : tensor<1x64x8x8xf32>
// A subgroup has one block of outputs: it reads weights of two inputs at once.
// GPU-LABEL: func.func @channels_go_in_blocks_of_16_and_weights_in_the_order_they_are_read
// GPU:         graph.relayout %w : tensor<64x64x3x3xf32> -> tensor<64x64x3x3xf32, #graph.layout<OIHW16i16o>>
func.func @channels_go_in_blocks_of_16_and_weights_in_the_order_they_are_read(%x: tensor<1x64x8x8xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x64x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 {lamina.source = "conv1"} : (tensor<1x64x8x8xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x8x8xf32>
  func.return %y : tensor<1x64x8x8xf32>
}

// Three channels would fill a block of 16 with zeros.
// RULE-LABEL: func.func @few_input_channels_stay_plain
// RULE-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<64x3x7x7xf32> -> tensor<64x3x7x7xf32, #graph.layout<OIHW32o>>
// RULE-NEXT:    graph.conv2d %x, %[[W]]
func.func @few_input_channels_stay_plain(%x: tensor<1x3x8x8xf32>, %w: tensor<64x3x7x7xf32>) -> tensor<1x64x4x4xf32> {
  %y = graph.conv2d %x, %w strides [2, 2] pads [3, 3, 3, 3] dilations [1, 1] groups 1 : (tensor<1x3x8x8xf32>, tensor<64x3x7x7xf32>) -> tensor<1x64x4x4xf32>
  func.return %y : tensor<1x64x4x4xf32>
}

// RULE-LABEL: func.func @depthwise_weights_follow_the_channel_block
// RULE:         graph.relayout %w : tensor<32x1x3x3xf32> -> tensor<32x1x3x3xf32, #graph.layout<OIHW16o>>
func.func @depthwise_weights_follow_the_channel_block(%x: tensor<1x32x8x8xf32>, %w: tensor<32x1x3x3xf32>) -> tensor<1x32x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 32 : (tensor<1x32x8x8xf32>, tensor<32x1x3x3xf32>) -> tensor<1x32x8x8xf32>
  func.return %y : tensor<1x32x8x8xf32>
}

// A block of 16 must not straddle two groups of 8.
// RULE-LABEL: func.func @groups_that_blocks_would_straddle_stay_plain
// RULE-NEXT:    graph.conv2d %x, %w
func.func @groups_that_blocks_would_straddle_stay_plain(%x: tensor<1x32x8x8xf32>, %w: tensor<32x8x1x1xf32>) -> tensor<1x32x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 4 : (tensor<1x32x8x8xf32>, tensor<32x8x1x1xf32>) -> tensor<1x32x8x8xf32>
  func.return %y : tensor<1x32x8x8xf32>
}

// RULE-LABEL: func.func @ragged_bias_is_padded_with_the_channels
// RULE:         %[[B:.*]] = graph.relayout %b : tensor<20xf32> -> tensor<20xf32, #graph.layout<A16a>>
// RULE:         bias %[[B]]
func.func @ragged_bias_is_padded_with_the_channels(%x: tensor<1x16x8x8xf32>, %w: tensor<20x16x1x1xf32>, %b: tensor<20xf32>) -> tensor<1x20x8x8xf32> {
  %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x16x8x8xf32>, tensor<20x16x1x1xf32>, tensor<20xf32>) -> tensor<1x20x8x8xf32>
  func.return %y : tensor<1x20x8x8xf32>
}

// RULE-LABEL: func.func @matrix_is_packed_eight_vectors_wide
// RULE-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<1000x512xf32> -> tensor<1000x512xf32, #graph.layout<AB128a>>
// RULE-NEXT:    graph.dense %x, %[[W]]
// GPU-LABEL: func.func @matrix_is_packed_eight_vectors_wide
// GPU:         graph.relayout %w : tensor<1000x512xf32> -> tensor<1000x512xf32, #graph.layout<AB16a>>
func.func @matrix_is_packed_eight_vectors_wide(%x: tensor<1x512xf32>, %w: tensor<1000x512xf32>) -> tensor<1x1000xf32> {
  %y = graph.dense %x, %w : (tensor<1x512xf32>, tensor<1000x512xf32>) -> tensor<1x1000xf32>
  func.return %y : tensor<1x1000xf32>
}

// RULE-LABEL: func.func @few_channels_of_one_pixel_are_blocked
// RULE:         graph.conv2d {{.*}} -> tensor<1x5x1x1xf32, #graph.layout<NCHW16c>>
func.func @few_channels_of_one_pixel_are_blocked(%x: tensor<1x40x1x1xf32>, %w: tensor<5x40x1x1xf32>) -> tensor<1x5x1x1xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x40x1x1xf32>, tensor<5x40x1x1xf32>) -> tensor<1x5x1x1xf32>
  func.return %y : tensor<1x5x1x1xf32>
}

// Bytes are multiplied in groups of four channels; three of an image are one group with a zero.
// CHECK-LABEL: func.func @bytes_are_in_groups_of_four
// CHECK:         %[[X:.*]] = graph.relayout %x : tensor<1x3x16x16xui8> -> tensor<1x3x16x16xui8, #graph.layout<NCHW4c>>
// CHECK-NEXT:    %[[W:.*]] = graph.relayout %w : tensor<64x3x3x3xi8> -> tensor<64x3x3x3xi8, #graph.layout<OIHW32o4i>>
// CHECK-NEXT:    %[[A:.*]] = graph.conv2d %[[X]], %[[W]]
// CHECK:         %[[V:.*]] = graph.relayout %v : tensor<64x64x1x1xi8> -> tensor<64x64x1x1xi8, #graph.layout<OIHW{{4|8|16}}i{{32|64}}o4i>>
// CHECK-NEXT:    graph.conv2d %{{.*}}, %[[V]]
func.func @bytes_are_in_groups_of_four(%x: tensor<1x3x16x16xui8>, %w: tensor<64x3x3x3xi8>, %v: tensor<64x64x1x1xi8>, %s: tensor<1x1x1x1xf32>, %z: tensor<1x1x1x1xui8>) -> tensor<1x64x16x16xi32> {
  %a = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x3x16x16xui8>, tensor<64x3x3x3xi8>) -> tensor<1x64x16x16xi32>
  %q = graph.requantize %a, %s, %z : (tensor<1x64x16x16xi32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x64x16x16xui8>
  %y = graph.conv2d %q, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x64x16x16xui8>, tensor<64x64x1x1xi8>) -> tensor<1x64x16x16xi32>
  func.return %y : tensor<1x64x16x16xi32>
}

// RULE-LABEL: func.func @a_matrix_of_bytes_is_packed_in_groups_of_four
// RULE-NEXT:    graph.relayout %w : tensor<100x512xi8> -> tensor<100x512xi8, #graph.layout<AB112a4b>>
// RULE-LABEL: func.func @unless_its_inputs_are_not_groups
// RULE-NEXT:    graph.relayout %w : tensor<100x510xi8> -> tensor<100x510xi8, #graph.layout<AB112a>>
func.func @a_matrix_of_bytes_is_packed_in_groups_of_four(%x: tensor<1x512xui8>, %w: tensor<100x512xi8>) -> tensor<1x100xi32> {
  %y = graph.dense %x, %w : (tensor<1x512xui8>, tensor<100x512xi8>) -> tensor<1x100xi32>
  func.return %y : tensor<1x100xi32>
}
func.func @unless_its_inputs_are_not_groups(%x: tensor<1x510xui8>, %w: tensor<100x510xi8>) -> tensor<1x100xi32> {
  %y = graph.dense %x, %w : (tensor<1x510xui8>, tensor<100x510xi8>) -> tensor<1x100xi32>
  func.return %y : tensor<1x100xi32>
}

// What one device hands to another is stored as both know it, the network's own inputs and results
// are plain: they are relaid where the convolutions are.
// CHECK-LABEL: func.func @regions_hand_on_blocks
// CHECK-NEXT:    graph.device_copy %x {{.*}} : tensor<1x64x28x28xf32> -> tensor<1x64x28x28xf32>
// CHECK:         graph.conv2d {{.*}} {device = "opencl:intel-gen9"} : {{.*}} -> tensor<1x64x28x28xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    %[[B:.*]] = graph.device_copy %a {source = "opencl:intel-gen9", to = "cpu:skylake-avx512"} : tensor<1x64x28x28xf32, #graph.layout<NCHW16c>> -> tensor<1x64x28x28xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    graph.relayout %v
// CHECK-NEXT:    graph.conv2d %[[B]], {{.*}} {device = "cpu:skylake-avx512"} :
// CHECK:         graph.device_copy %c {{.*}} #graph.layout<NCHW16c>> -> {{.*}} #graph.layout<NCHW16c>>
// CHECK:         graph.device_copy {{.*}} : tensor<1x64x28x28xf32> -> tensor<1x64x28x28xf32>
// CHECK-NEXT:    func.return
func.func @regions_hand_on_blocks(%x: tensor<1x64x28x28xf32>, %u: tensor<64x64x1x1xf32>, %v: tensor<64x64x1x1xf32>, %w: tensor<64x64x1x1xf32>) -> tensor<1x64x28x28xf32> {
  %x1 = graph.device_copy %x {source = "cpu:skylake-avx512", to = "opencl:intel-gen9"} : tensor<1x64x28x28xf32> -> tensor<1x64x28x28xf32>
  %a = graph.conv2d %x1, %u strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {device = "opencl:intel-gen9"} : (tensor<1x64x28x28xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x28x28xf32>
  %b = graph.device_copy %a {source = "opencl:intel-gen9", to = "cpu:skylake-avx512"} : tensor<1x64x28x28xf32> -> tensor<1x64x28x28xf32>
  %c = graph.conv2d %b, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {device = "cpu:skylake-avx512"} : (tensor<1x64x28x28xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x28x28xf32>
  %d = graph.device_copy %c {source = "cpu:skylake-avx512", to = "opencl:intel-gen9"} : tensor<1x64x28x28xf32> -> tensor<1x64x28x28xf32>
  %e = graph.conv2d %d, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {device = "opencl:intel-gen9"} : (tensor<1x64x28x28xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x28x28xf32>
  %f = graph.device_copy %e {source = "opencl:intel-gen9", to = "cpu:skylake-avx512"} : tensor<1x64x28x28xf32> -> tensor<1x64x28x28xf32>
  func.return %f : tensor<1x64x28x28xf32>
}
