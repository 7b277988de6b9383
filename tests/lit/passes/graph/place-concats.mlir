// RUN: lamina-opt %s -p place-concats --split-input-file | filecheck %s
// RUN: lamina-opt %s -p 'place-concats{alignment=128}' --split-input-file | filecheck %s --check-prefix=DEVICE

// CHECK-LABEL: func.func @whole_blocks_are_written_where_they_lie
// CHECK:         graph.concat axis 1 in_place %a, %b
func.func @whole_blocks_are_written_where_they_lie(%x: tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x8x8xf32, #graph.layout<NCHW16c>> {
  %a = graph.relu %x : tensor<1x16x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
  %b = graph.exp %x : tensor<1x16x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
  %y = graph.concat axis 1 %a, %b : (tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x8x8xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x32x8x8xf32, #graph.layout<NCHW16c>>
}

// -----

// 20 channels end inside a block, so what follows does not begin one. The last operand may end so.
// CHECK-LABEL: func.func @what_cuts_through_a_block_is_copied_together
// CHECK:         %[[C:.*]] = graph.concat axis 1 %b, %c : {{.*}} -> tensor<1x48x8x8xf32, #graph.layout<NCHW16c>>
// CHECK-NEXT:    graph.concat axis 1 in_place %a, %[[C]], %d
func.func @what_cuts_through_a_block_is_copied_together(%x: tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, %u: tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>, %v: tensor<1x28x8x8xf32, #graph.layout<NCHW16c>>) -> tensor<1x84x8x8xf32, #graph.layout<NCHW16c>> {
  %a = graph.relu %x : tensor<1x16x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>
  %b = graph.relu %u : tensor<1x20x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>
  %c = graph.relu %v : tensor<1x28x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x28x8x8xf32, #graph.layout<NCHW16c>>
  %d = graph.exp %u : tensor<1x20x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>
  %y = graph.concat axis 1 %a, %b, %c, %d : (tensor<1x16x8x8xf32, #graph.layout<NCHW16c>>, tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>, tensor<1x28x8x8xf32, #graph.layout<NCHW16c>>, tensor<1x20x8x8xf32, #graph.layout<NCHW16c>>) -> tensor<1x84x8x8xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x84x8x8xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func @parts_of_a_batch_are_no_runs_of_bytes
// CHECK:         graph.concat axis 1 %a, %b
// CHECK-NEXT:    graph.slice %y starts [0, 3] steps [1, 1] :
func.func @parts_of_a_batch_are_no_runs_of_bytes(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %a = graph.relu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %b = graph.exp %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %y = graph.concat axis 1 %a, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  %s = graph.slice %y starts [0, 3] steps [1, 1] : tensor<2x6xf32> -> tensor<2x3xf32>
  %z = graph.relu %s : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %z : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: func.func @concat_of_all_so_far_reads_the_one_before
// CHECK:         %y = graph.concat axis 0 in_place %a, %b
// CHECK:         graph.concat axis 0 in_place %y, %c
func.func @concat_of_all_so_far_reads_the_one_before(%x: tensor<4xf32>) -> (tensor<8xf32>, tensor<12xf32>) {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %b = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.concat axis 0 %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %r = graph.relu %y : tensor<8xf32> -> tensor<8xf32>
  %c = graph.abs %x : tensor<4xf32> -> tensor<4xf32>
  %z = graph.concat axis 0 %a, %b, %c : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<12xf32>
  func.return %r, %z : tensor<8xf32>, tensor<12xf32>
}

// -----

// Inputs, results, and what lies elsewhere: each is copied by itself, or with its neighbour.
// CHECK-LABEL: func.func @what_others_hold_is_copied
// CHECK:         %[[A:.*]] = graph.concat axis 0 %x, %a :
// CHECK-NEXT:    %[[B:.*]] = graph.concat axis 0 %b :
// CHECK-NEXT:    %y = graph.concat axis 0 in_place %[[A]], %b, %[[B]] :
// CHECK-NEXT:    graph.concat axis 0 %b, %x :
func.func @what_others_hold_is_copied(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<16xf32>, tensor<8xf32>) {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %b = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.concat axis 0 %x, %a, %b, %b : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<16xf32>
  %z = graph.concat axis 0 %b, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  func.return %a, %y, %z : tensor<4xf32>, tensor<16xf32>, tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @views_of_a_kernel_s_result_are_placed
// CHECK:         graph.concat axis 0 in_place %r, %b
func.func @views_of_a_kernel_s_result_are_placed(%x: tensor<2x2xf32>, %z: tensor<4xf32>) -> tensor<8xf32> {
  %a = graph.relu %x : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = graph.reshape %a : tensor<2x2xf32> -> tensor<4xf32>
  %b = graph.exp %z : tensor<4xf32> -> tensor<4xf32>
  %y = graph.concat axis 0 %r, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

// The result of the network is written by a kernel of its own.
// CHECK-LABEL: func.func @slices_are_read_where_they_lie
// CHECK-NEXT:    %a = graph.slice %x starts [2, 0] steps [1, 1] in_place :
// CHECK-NEXT:    graph.slice %x starts [0, 0] steps [2, 1] :
// CHECK-NEXT:    graph.slice %x starts [3, 0] steps [1, 1] :
func.func @slices_are_read_where_they_lie(%x: tensor<4x3xf32>) -> (tensor<2x3xf32>, tensor<1x3xf32>) {
  %a = graph.slice %x starts [2, 0] steps [1, 1] : tensor<4x3xf32> -> tensor<2x3xf32>
  %b = graph.slice %x starts [0, 0] steps [2, 1] : tensor<4x3xf32> -> tensor<2x3xf32>
  %c = graph.slice %x starts [3, 0] steps [1, 1] : tensor<4x3xf32> -> tensor<1x3xf32>
  %y = graph.add %a, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %y, %c : tensor<2x3xf32>, tensor<1x3xf32>
}

// -----

// CHECK-LABEL: func.func @what_has_not_the_halo_of_the_concat_is_copied
// CHECK:         %[[A:.*]] = graph.concat axis 1 %a : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
// CHECK-NEXT:    graph.concat axis 1 in_place %[[A]], %b
func.func @what_has_not_the_halo_of_the_concat_is_copied(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> {
  %a = graph.relu %x : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  %b = graph.exp %x : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
  %y = graph.concat axis 1 %a, %b : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>) -> tensor<1x2x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
  func.return %y : tensor<1x2x4x4xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
}

// -----

// With %a in place there would be 16 bytes of %y, not 4 of %a, beside %d and %e, the peak.
// CHECK-LABEL: func.func @nothing_is_placed_at_the_cost_of_memory
// CHECK:         %[[A:.*]] = graph.concat axis 0 %a :
// CHECK-NEXT:    graph.concat axis 0 in_place %[[A]], %b :
func.func @nothing_is_placed_at_the_cost_of_memory(%x: tensor<1xf32>, %u: tensor<16xf32>) -> (tensor<4xf32>, tensor<1xf32>) {
  %a = graph.relu %x : tensor<1xf32> -> tensor<1xf32>
  %d = graph.softmax axis 0 %u : tensor<16xf32> -> tensor<16xf32>
  %e = graph.softmax axis 0 %d : tensor<16xf32> -> tensor<16xf32>
  %b = graph.slice %e starts [0] steps [2] : tensor<16xf32> -> tensor<3xf32>
  %y = graph.concat axis 0 %a, %b : (tensor<1xf32>, tensor<3xf32>) -> tensor<4xf32>
  %r = graph.softmax axis 0 %y : tensor<4xf32> -> tensor<4xf32>
  %s = graph.exp %a : tensor<1xf32> -> tensor<1xf32>
  func.return %r, %s : tensor<4xf32>, tensor<1xf32>
}

// -----

// Parts may have to begin where a device can address them: 27 x 64 bytes are no multiple of 128, and what is copied begins at one, too.
// CHECK-LABEL: func.func @parts_begin_at_multiples
// CHECK:         graph.concat axis 1 in_place %a, %b, %c
// DEVICE-LABEL: func.func @parts_begin_at_multiples
// DEVICE:        %[[C:.*]] = graph.concat axis 1 %a, %b :
// DEVICE:        graph.concat axis 1 in_place %[[C]], %c
func.func @parts_begin_at_multiples(%x: tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>) -> tensor<1x48x3x9xf32, #graph.layout<NCHW16c>> {
  %a = graph.relu %x : tensor<1x16x3x9xf32, #graph.layout<NCHW16c>> -> tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>
  %b = graph.exp %x : tensor<1x16x3x9xf32, #graph.layout<NCHW16c>> -> tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>
  %c = graph.neg %x : tensor<1x16x3x9xf32, #graph.layout<NCHW16c>> -> tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>
  %y = graph.concat axis 1 %a, %b, %c : (tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>, tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>, tensor<1x16x3x9xf32, #graph.layout<NCHW16c>>) -> tensor<1x48x3x9xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x48x3x9xf32, #graph.layout<NCHW16c>>
}
