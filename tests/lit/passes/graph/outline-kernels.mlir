// RUN: lamina-opt %s -p outline-kernels --split-input-file | filecheck %s

// CHECK-LABEL: func.func @equal_kernels_are_one_function
// CHECK-NEXT:    %[[A:.*]] = func.call @relu_0(%x) {lamina.source = "relu1", lamina.layout = "NCHW"} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
// CHECK-NEXT:    %[[B:.*]] = func.call @relu_0(%[[A]])
// CHECK-NEXT:    func.return %[[B]]
// CHECK:       func.func private @relu_0(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
// CHECK-NEXT:    %t = graph.relu %x
// CHECK-NEXT:    func.return %t
// CHECK-NOT:   func.func
func.func @equal_kernels_are_one_function(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %a = graph.relu %x {lamina.source = "relu1"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %b = graph.relu %a {lamina.source = "relu2"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  func.return %b : tensor<1x4x8x8xf32>
}

// -----

// CHECK-LABEL: func.func @fused_ops_are_one_kernel_named_after_them
// CHECK-NEXT:    func.call @add_relu_0(%x, %x)
// CHECK:       func.func private @add_relu_0(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
func.func @fused_ops_are_one_kernel_named_after_them(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.fused(%x, %x) ({
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>):
    %s = graph.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %r = graph.relu %s : tensor<4xf32> -> tensor<4xf32>
    graph.yield %r : tensor<4xf32>
  }) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @constants_and_views_stay
// CHECK-NEXT:    graph.constant
// CHECK-NEXT:    %[[A:.*]] = func.call @mul_0
// CHECK-NEXT:    %[[B:.*]] = graph.reshape %[[A]]
// CHECK-NEXT:    func.return %[[B]]
func.func @constants_and_views_stay(%x: tensor<4xf32>) -> tensor<2x2xf32> {
  %c = graph.constant "9f86d081884c7d65" : tensor<4xf32>
  %a = graph.mul %x, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = graph.reshape %a : tensor<4xf32> -> tensor<2x2xf32>
  func.return %b : tensor<2x2xf32>
}

// -----

// With one row and column, blocks of 16 channels lie in memory as plain channels do.
// CHECK-LABEL: func.func @relayout_that_moves_nothing_is_a_view
// CHECK-NEXT:    func.call @relu_0
// CHECK-NEXT:    graph.relayout
// CHECK-NEXT:    func.return
func.func @relayout_that_moves_nothing_is_a_view(%x: tensor<1x32x1x1xf32>) -> tensor<1x32x1x1xf32> {
  %a = graph.relu %x : tensor<1x32x1x1xf32> -> tensor<1x32x1x1xf32, #graph.layout<NCHW16c>>
  %b = graph.relayout %a : tensor<1x32x1x1xf32, #graph.layout<NCHW16c>> -> tensor<1x32x1x1xf32>
  func.return %b : tensor<1x32x1x1xf32>
}

// -----

// Each result needs a buffer that a kernel writes: an argument and a twin are copied.
// CHECK-LABEL: func.func @results_that_no_kernel_writes_are_copied
// CHECK-NEXT:    %[[A:.*]] = func.call @relu_0(%x)
// CHECK-NEXT:    %[[B:.*]] = func.call @relayout_1(%x)
// CHECK-NEXT:    %[[C:.*]] = func.call @relayout_1(%[[A]])
// CHECK-NEXT:    func.return %[[A]], %[[B]], %[[C]]
func.func @results_that_no_kernel_writes_are_copied(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %a, %x, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @names_that_exist_are_not_used_again
// CHECK-NEXT:    func.call @relu_0(%x)
// CHECK-NEXT:    func.call @relu_1(
// CHECK:       func.func private @relu_0
// CHECK-NEXT:    graph.exp
// CHECK:       func.func private @relu_1
// CHECK-NEXT:    graph.relu
func.func @names_that_exist_are_not_used_again(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = func.call @relu_0(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %y = graph.relu %w : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
func.func private @relu_0(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @networks_share_their_kernels
// CHECK-NEXT:    func.call @relu_0(%x)
// CHECK:       func.func @other_network
// CHECK-NEXT:    func.call @relu_0(%x)
// CHECK:       func.func private @relu_0
// CHECK-NOT:   func.func
func.func @networks_share_their_kernels(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
func.func @other_network(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @reshape_of_blocks_moves_elements
// CHECK-NEXT:    func.call @reshape_0(%x)
func.func @reshape_of_blocks_moves_elements(%x: tensor<1x32x3x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x192xf32> {
  %y = graph.reshape %x : tensor<1x32x3x2xf32, #graph.layout<NCHW16c>> -> tensor<1x192xf32>
  func.return %y : tensor<1x192xf32>
}

// -----

// CHECK-LABEL: func.func @numbers_are_part_of_the_kernel
// CHECK-NOT:     graph.constant
// CHECK:         func.call @add_0(%x)
// CHECK:         func.return
// CHECK:       func.func private @add_0(%a: tensor<1x4xf32>) -> tensor<1x4xf32> {
// CHECK-NEXT:    %c = graph.constant dense<3.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT:    graph.add %a, %c
func.func @numbers_are_part_of_the_kernel(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = graph.constant dense<3.0> : tensor<1x1xf32>
  %y = graph.add %x, %c : (tensor<1x4xf32>, tensor<1x1xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}

// -----

// CHECK-LABEL: func.func @operands_of_one_kind_have_one_name
// CHECK:       func.func private @resample_0(%x: {{.*}}, %at: {{.*}}, %at_1: {{.*}}, %weights: {{.*}}, %weights_1: {{.*}})
func.func @operands_of_one_kind_have_one_name(%x: tensor<4x6xf32>, %i: tensor<3x1xi32>, %j: tensor<5x1xi32>, %v: tensor<3x1xf32>, %w: tensor<5x1xf32>) -> tensor<3x5xf32> {
  %y = graph.resample %x over [0, 1] at(%i, %j : tensor<3x1xi32>, tensor<5x1xi32>) weights(%v, %w : tensor<3x1xf32>, tensor<5x1xf32>) : tensor<4x6xf32> -> tensor<3x5xf32>
  func.return %y : tensor<3x5xf32>
}

// -----

// CHECK-LABEL: func.func @transpose_of_types_only_is_a_view
// CHECK-NEXT:    graph.transpose
// CHECK-NEXT:    func.call @relu_0
// CHECK-NEXT:    func.call @transpose_1
func.func @transpose_of_types_only_is_a_view(%x: tensor<2x3x4xf32>) -> (tensor<2x4x3xf32>, tensor<2x4x3xf32>) {
  %v = graph.transpose %x [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32, #graph.layout<NWC>>
  %y = graph.relu %v : tensor<2x4x3xf32, #graph.layout<NWC>> -> tensor<2x4x3xf32>
  %z = graph.transpose %x [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  func.return %y, %z : tensor<2x4x3xf32>, tensor<2x4x3xf32>
}

// -----

// CHECK-LABEL: func.func @concat_in_place_is_a_view_and_what_lies_in_it_no_result
// CHECK-NEXT:    %[[A:.*]] = func.call @relu_0(%x)
// CHECK-NEXT:    %[[B:.*]] = func.call @exp_1(%x)
// CHECK-NEXT:    %[[Y:.*]] = graph.concat axis 0 in_place %[[A]], %[[B]]
// CHECK-NEXT:    %[[S:.*]] = graph.slice %[[Y]] starts [2] steps [1] in_place
// CHECK-NEXT:    %[[C:.*]] = func.call @relayout_2(%[[A]])
// CHECK-NEXT:    %[[D:.*]] = func.call @relayout_2(%[[S]])
// CHECK-NEXT:    func.return %[[Y]], %[[C]], %[[D]]
func.func @concat_in_place_is_a_view_and_what_lies_in_it_no_result(%x: tensor<4xf32>) -> (tensor<8xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %b = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.concat axis 0 in_place %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %s = graph.slice %y starts [2] steps [1] in_place : tensor<8xf32> -> tensor<4xf32>
  func.return %y, %a, %s : tensor<8xf32>, tensor<4xf32>, tensor<4xf32>
}
