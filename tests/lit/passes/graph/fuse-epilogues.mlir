// RUN: lamina-opt %s -p fuse-epilogues | filecheck %s

// CHECK-LABEL: func.func @residual_and_activation_join_the_convolution
// CHECK-NEXT:    %[[Y:.*]] = graph.fused(%x, %w, %b, %r) ({
// CHECK-NEXT:    ^{{.*}}(%[[X:.*]]: {{.*}}, %[[W:.*]]: {{.*}}, %[[B:.*]]: {{.*}}, %[[R:.*]]: {{.*}}):
// CHECK-NEXT:      %[[T:.*]] = graph.conv2d %[[X]], %[[W]] bias %[[B]]
// CHECK-NEXT:      %[[S:.*]] = graph.add %[[T]], %[[R]]
// CHECK-NEXT:      %[[Z:.*]] = graph.relu %[[S]]
// CHECK-NEXT:      graph.yield %[[Z]]
// CHECK-NEXT:    }) {lamina.source = "relu1"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @residual_and_activation_join_the_convolution(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x1x1xf32>, %b: tensor<4xf32>, %r: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %t = graph.conv2d %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  %s = graph.add %t, %r : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %y = graph.relu %s {lamina.source = "relu1"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: func.func @value_with_two_readers_ends_the_chain
// CHECK-NEXT:    %[[T:.*]] = graph.max_pool2d %x
// CHECK-NEXT:    %[[Y:.*]] = graph.relu %[[T]]
// CHECK-NEXT:    func.return %[[T]], %[[Y]]
func.func @value_with_two_readers_ends_the_chain(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) {
  %t = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %y = graph.relu %t : tensor<1x4x4x4xf32> -> tensor<1x4x4x4xf32>
  func.return %t, %y : tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @op_that_broadcasts_the_value_ends_the_chain
// CHECK-NEXT:    graph.global_avg_pool %x
// CHECK-NEXT:    graph.mul %x
func.func @op_that_broadcasts_the_value_ends_the_chain(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %t = graph.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  %y = graph.mul %x, %t : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// What stays in registers needs no border; only the last op's result is stored.
// CHECK-LABEL: func.func @only_the_result_has_a_halo
// CHECK:           graph.add {{.*}} -> tensor<1x4x8x8xf32>
// CHECK-NEXT:      graph.relu {{.*}} -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
func.func @only_the_result_has_a_halo(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> {
  %t = graph.add %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
  %y = graph.relu %t : tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> -> tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
  func.return %y : tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>
}

// CHECK-LABEL: func.func @scale_and_shift_join_the_normalization
// CHECK-NEXT:    graph.fused
// CHECK:           graph.normalize
// CHECK-NEXT:      graph.mul
// CHECK-NEXT:      graph.add
func.func @scale_and_shift_join_the_normalization(%x: tensor<2x5x8xf32>, %s: tensor<1x1x8xf32>) -> tensor<2x5x8xf32> {
  %n = graph.normalize %x axes [2] epsilon 0.1 : tensor<2x5x8xf32> -> tensor<2x5x8xf32>
  %p = graph.mul %n, %s : (tensor<2x5x8xf32>, tensor<1x1x8xf32>) -> tensor<2x5x8xf32>
  %y = graph.add %p, %s : (tensor<2x5x8xf32>, tensor<1x1x8xf32>) -> tensor<2x5x8xf32>
  func.return %y : tensor<2x5x8xf32>
}

// CHECK-LABEL: func.func @relu_joins_the_interleaving
// CHECK-NEXT:    graph.fused
// CHECK:           graph.interleave
// CHECK-NEXT:      graph.relu
func.func @relu_joins_the_interleaving(%x: tensor<1x8x4x4xf32>) -> tensor<1x2x8x8xf32> {
  %t = graph.interleave %x steps [2, 2] offsets [0, 0] groups 1 : tensor<1x8x4x4xf32> -> tensor<1x2x8x8xf32>
  %y = graph.relu %t : tensor<1x2x8x8xf32> -> tensor<1x2x8x8xf32>
  func.return %y : tensor<1x2x8x8xf32>
}

// CHECK-LABEL: func.func @mask_joins_the_product
// CHECK-NEXT:    graph.fused
// CHECK:           graph.matmul
// CHECK-NEXT:      graph.add
func.func @mask_joins_the_product(%a: tensor<2x5x8xf32>, %b: tensor<2x8x5xf32>, %m: tensor<1x5x5xf32>) -> tensor<2x5x5xf32> {
  %p = graph.matmul %a, %b : (tensor<2x5x8xf32>, tensor<2x8x5xf32>) -> tensor<2x5x5xf32>
  %y = graph.add %p, %m : (tensor<2x5x5xf32>, tensor<1x5x5xf32>) -> tensor<2x5x5xf32>
  func.return %y : tensor<2x5x5xf32>
}

// CHECK-LABEL: func.func @readers_that_lead_to_one_value_join
// CHECK-NEXT:    graph.fused(%x) ({
// CHECK:           %[[T:.*]] = graph.max_pool2d
// CHECK-NEXT:      %[[S:.*]] = graph.sigmoid %[[T]]
// CHECK-NEXT:      %[[Y:.*]] = graph.mul %[[T]], %[[S]]
// CHECK-NEXT:      %[[Z:.*]] = graph.relu %[[Y]]
// CHECK-NEXT:      graph.yield %[[Z]]
func.func @readers_that_lead_to_one_value_join(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %t = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %s = graph.sigmoid %t : tensor<1x4x4x4xf32> -> tensor<1x4x4x4xf32>
  %y = graph.mul %t, %s : (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %z = graph.relu %y : tensor<1x4x4x4xf32> -> tensor<1x4x4x4xf32>
  func.return %z : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @what_is_made_of_the_same_operand_joins
// CHECK-NEXT:    graph.fused(%x) ({
// CHECK-NEXT:    ^{{.*}}(%[[X:.*]]: tensor<4xf32>):
// CHECK-NEXT:      %[[A:.*]] = graph.relu %[[X]]
// CHECK-NEXT:      %[[B:.*]] = graph.clip %[[X]]
// CHECK-NEXT:      %[[C:.*]] = graph.expm1 %[[B]]
// CHECK-NEXT:      graph.add %[[A]], %[[C]]
func.func @what_is_made_of_the_same_operand_joins(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %b = graph.clip %x between -inf and 0.0 : tensor<4xf32> -> tensor<4xf32>
  %c = graph.expm1 %b : tensor<4xf32> -> tensor<4xf32>
  %y = graph.add %a, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @reader_that_is_not_pointwise_keeps_the_value_stored
// CHECK-NEXT:    graph.relu %x
// CHECK-NEXT:    graph.global_avg_pool
// CHECK-NEXT:    graph.mul
func.func @reader_that_is_not_pointwise_keeps_the_value_stored(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %t = graph.relu %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %m = graph.global_avg_pool %t : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  %y = graph.mul %t, %m : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: func.func @operand_that_others_read_too_is_not_taken_along
// CHECK-NEXT:    %[[B:.*]] = graph.abs %x
// CHECK-NEXT:    %[[Y:.*]] = graph.fused(%x, %[[B]]) ({
// CHECK:           graph.relu
// CHECK-NEXT:      graph.add
// CHECK-NOT:       graph.abs
// CHECK:         func.return %[[B]], %[[Y]]
func.func @operand_that_others_read_too_is_not_taken_along(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %b = graph.abs %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %b, %y : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @what_follows_a_resized_map_joins_its_kernel
// CHECK-NEXT:    graph.fused(%x, %b) ({
// CHECK:           graph.repeat
// CHECK-NEXT:      graph.add
// CHECK:         graph.fused(%x, %i) ({
// CHECK:           graph.resample
// CHECK-NEXT:      graph.relu
func.func @what_follows_a_resized_map_joins_its_kernel(%x: tensor<1x4x2x2xf32>, %b: tensor<1x4x4x4xf32>, %i: tensor<5x1xi32>) -> (tensor<1x4x4x4xf32>, tensor<1x4x5x2xf32>) {
  %u = graph.repeat %x : tensor<1x4x2x2xf32> -> tensor<1x4x4x4xf32>
  %s = graph.add %b, %u : (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %v = graph.resample %x over [2] at(%i : tensor<5x1xi32>) : tensor<1x4x2x2xf32> -> tensor<1x4x5x2xf32>
  %r = graph.relu %v : tensor<1x4x5x2xf32> -> tensor<1x4x5x2xf32>
  func.return %s, %r : tensor<1x4x4x4xf32>, tensor<1x4x5x2xf32>
}

// CHECK-LABEL: func.func @what_follows_elements_at_places_joins_their_kernel
// CHECK-NEXT:    graph.fused(%x, %i) ({
// CHECK:           graph.take
// CHECK-NEXT:      graph.relu
// CHECK:         graph.fused(%x, %j, %b) ({
// CHECK:           graph.take_along
// CHECK-NEXT:      graph.add
func.func @what_follows_elements_at_places_joins_their_kernel(%x: tensor<2x4xf32>, %i: tensor<7xi64>, %j: tensor<2x3xi32>, %b: tensor<2x3xf32>) -> (tensor<2x7xf32>, tensor<2x3xf32>) {
  %t = graph.take axis 1 %x at %i : tensor<2x4xf32>, tensor<7xi64> -> tensor<2x7xf32>
  %r = graph.relu %t : tensor<2x7xf32> -> tensor<2x7xf32>
  %u = graph.take_along axis 1 %x at %j : tensor<2x4xf32>, tensor<2x3xi32> -> tensor<2x3xf32>
  %s = graph.add %u, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %r, %s : tensor<2x7xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: func.func @products_of_tiles_stay_in_one_kernel
// CHECK-NEXT:    %[[Y:.*]] = graph.fused(%x, %u, %b, %r) ({
// CHECK:           graph.winograd_input
// CHECK-NEXT:      graph.conv2d
// CHECK-NEXT:      graph.winograd_output
// CHECK-NEXT:      graph.add
// CHECK-NEXT:      graph.relu
// CHECK-NEXT:      graph.yield
// CHECK:         func.return %[[Y]]
func.func @products_of_tiles_stay_in_one_kernel(%x: tensor<1x4x8x8xf32>, %u: tensor<144x4x1x1xf32>, %b: tensor<4xf32>, %r: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %v = graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x4x8x8xf32> -> tensor<1x144x2x2xf32>
  %m = graph.conv2d %v, %u strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 36 : (tensor<1x144x2x2xf32>, tensor<144x4x1x1xf32>) -> tensor<1x144x2x2xf32>
  %y = graph.winograd_output %m bias %b tile 4 : (tensor<1x144x2x2xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  %s = graph.add %y, %r : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %z = graph.relu %s : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  func.return %z : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: func.func @tiles_that_others_read_are_stored
// CHECK-NEXT:    %[[V:.*]] = graph.winograd_input
// CHECK:         graph.fused(%[[V]], %u) ({
// CHECK:           graph.conv2d
// CHECK-NEXT:      graph.winograd_output
func.func @tiles_that_others_read_are_stored(%x: tensor<1x4x8x8xf32>, %u: tensor<144x4x1x1xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x144x2x2xf32>) {
  %v = graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x4x8x8xf32> -> tensor<1x144x2x2xf32>
  %m = graph.conv2d %v, %u strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 36 : (tensor<1x144x2x2xf32>, tensor<144x4x1x1xf32>) -> tensor<1x144x2x2xf32>
  %y = graph.winograd_output %m tile 4 : (tensor<1x144x2x2xf32>) -> tensor<1x4x8x8xf32>
  func.return %y, %v : tensor<1x4x8x8xf32>, tensor<1x144x2x2xf32>
}

// What is made of bytes for an addition is read as bytes, whatever makes them.
// CHECK-LABEL: func.func @bytes_are_read_where_they_are_added
// CHECK-NEXT:    graph.fused(%x, %w, %s, %z, %r) ({
// CHECK:           graph.conv2d
// CHECK-NEXT:      graph.requantize
// CHECK-NEXT:      graph.dequantize
// CHECK-NEXT:      graph.dequantize
// CHECK-NEXT:      graph.add
// CHECK-NEXT:      graph.requantize
// CHECK-NEXT:      graph.yield %{{.*}} : tensor<1x4x8x8xui8>
func.func @bytes_are_read_where_they_are_added(%x: tensor<1x4x8x8xui8>, %w: tensor<4x4x1x1xi8>, %r: tensor<1x4x8x8xui8>, %s: tensor<1x1x1x1xf32>, %z: tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xui8> {
  %c = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xui8>, tensor<4x4x1x1xi8>) -> tensor<1x4x8x8xi32>
  %q = graph.requantize %c, %s, %z : (tensor<1x4x8x8xi32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xui8>
  %a = graph.dequantize %q, %s, %z : (tensor<1x4x8x8xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xf32>
  %b = graph.dequantize %r, %s, %z : (tensor<1x4x8x8xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xf32>
  %d = graph.add %a, %b : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %y = graph.requantize %d, %s, %z : (tensor<1x4x8x8xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xui8>
  func.return %y : tensor<1x4x8x8xui8>
}

// A gate has one number for each channel: its kernel stores bytes, that of the product reads them.
// CHECK-LABEL: func.func @bytes_of_a_gate_are_stored
// CHECK-NEXT:    %[[G:.*]] = graph.fused(%g, %s, %z) ({
// CHECK:           graph.sigmoid
// CHECK-NEXT:      graph.requantize
// CHECK-NEXT:      graph.yield %{{.*}} : tensor<1x4x1x1xui8>
// CHECK:         graph.fused(%[[G]], %s, %z, %x) ({
// CHECK:           graph.dequantize
// CHECK-NEXT:      graph.sqrt
// CHECK-NEXT:      graph.mul
func.func @bytes_of_a_gate_are_stored(%x: tensor<1x4x8x8xf32>, %g: tensor<1x4x1x1xf32>, %s: tensor<1x1x1x1xf32>, %z: tensor<1x1x1x1xui8>) -> tensor<1x4x8x8xf32> {
  %h = graph.sigmoid %g : tensor<1x4x1x1xf32> -> tensor<1x4x1x1xf32>
  %q = graph.requantize %h, %s, %z : (tensor<1x4x1x1xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x1x1xui8>
  %d = graph.dequantize %q, %s, %z : (tensor<1x4x1x1xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x4x1x1xf32>
  %r = graph.sqrt %x : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %y = graph.mul %r, %d : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// Bytes are read, not scaled integers of 32 bits that are made of them.
// CHECK-LABEL: func.func @integers_that_are_made_of_bytes_are_not_stored
// CHECK-NEXT:    %n = graph.constant
// CHECK-NEXT:    graph.fused
// CHECK-NEXT:    ^bb0
// CHECK-NEXT:      graph.conv2d
// CHECK-NEXT:      graph.cast {{.*}} : tensor<1x4x8x8xui8> -> tensor<1x4x8x8xi32>
// CHECK-NEXT:      graph.mul
// CHECK-NEXT:      graph.add
func.func @integers_that_are_made_of_bytes_are_not_stored(%b: tensor<1x4x8x8xui8>, %a: tensor<1x4x8x8xui8>, %w: tensor<4x4x1x1xi8>) -> tensor<1x4x8x8xi32> {
  %c = graph.conv2d %a, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x8x8xui8>, tensor<4x4x1x1xi8>) -> tensor<1x4x8x8xi32>
  %n = graph.constant dense<12345> : tensor<1x1x1x1xi32>
  %i = graph.cast %b : tensor<1x4x8x8xui8> -> tensor<1x4x8x8xi32>
  %m = graph.mul %i, %n : (tensor<1x4x8x8xi32>, tensor<1x1x1x1xi32>) -> tensor<1x4x8x8xi32>
  %y = graph.add %c, %m : (tensor<1x4x8x8xi32>, tensor<1x4x8x8xi32>) -> tensor<1x4x8x8xi32>
  func.return %y : tensor<1x4x8x8xi32>
}
