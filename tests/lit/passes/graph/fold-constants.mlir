// RUN: lamina-opt %s -p fold-constants | filecheck %s

// CHECK-LABEL: func.func @sum_of_constants_is_a_constant
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<[4.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    func.return %[[S]]
func.func @sum_of_constants_is_a_constant() -> tensor<2xf32> {
  %a = graph.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = graph.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %s = graph.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %s : tensor<2xf32>
}

// CHECK-LABEL: func.func @chain_of_ops_is_folded_in_one_sweep
// CHECK-NEXT:    graph.constant dense<[
// CHECK-SAME:      [1.000000e+00, 3.000000e+00], [0.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-NEXT:    func.return
func.func @chain_of_ops_is_folded_in_one_sweep() -> tensor<2x2xf32> {
  %a = graph.constant dense<[1.0, -2.0, 3.0, 4.0]> : tensor<4xf32>
  %r = graph.relu %a : tensor<4xf32> -> tensor<4xf32>
  %m = graph.reshape %r : tensor<4xf32> -> tensor<2x2xf32>
  %t = graph.transpose %m [1, 0] : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %t : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @large_result_goes_to_the_store
// CHECK-NEXT:    graph.constant "{{[0-9a-f]+}}" : tensor<4x8xf32>
// CHECK-NEXT:    func.return
func.func @large_result_goes_to_the_store() -> tensor<4x8xf32> {
  %a = graph.constant dense<1.0> : tensor<4x1xf32>
  %b = graph.constant dense<2.0> : tensor<1x8xf32>
  %s = graph.mul %a, %b : (tensor<4x1xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  func.return %s : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @result_keeps_its_source_and_its_layout
// CHECK-NEXT:    graph.constant "{{[0-9a-f]+}}" : tensor<1x2x1x1xf32, #graph.layout<NCHW16c>> {lamina.source = "scale"}
// CHECK-NEXT:    func.return
func.func @result_keeps_its_source_and_its_layout() -> tensor<1x2x1x1xf32, #graph.layout<NCHW16c>> {
  %a = graph.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
  %b = graph.relayout %a {lamina.source = "scale"} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32, #graph.layout<NCHW16c>>
  func.return %b : tensor<1x2x1x1xf32, #graph.layout<NCHW16c>>
}

// CHECK-LABEL: func.func @op_on_an_argument_stays
// CHECK-NEXT:    %[[B:.*]] = graph.constant dense<[3.000000e+00, 4.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    graph.add %x, %[[B]]
func.func @op_on_an_argument_stays(%x: tensor<2xf32>) -> tensor<2xf32> {
  %b = graph.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %s = graph.add %x, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %s : tensor<2xf32>
}
