// RUN: lamina-opt %s -p pack-weights | filecheck %s

// The array itself is derived from the old one when it is first needed.
// CHECK-LABEL: func.func @relayout_of_a_constant_is_a_constant
// CHECK-NEXT:    %[[W:.*]] = graph.constant "{{[0-9a-f]+}}" : tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>
// CHECK-NEXT:    func.return %[[W]]
func.func @relayout_of_a_constant_is_a_constant() -> tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>> {
  %w = graph.constant "9f86d081884c7d65" : tensor<64x64x3x3xf32>
  %p = graph.relayout %w : tensor<64x64x3x3xf32> -> tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>
  func.return %p : tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>
}

// CHECK-LABEL: func.func @numbers_written_out_go_to_the_store
// CHECK-NEXT:    graph.constant "{{[0-9a-f]+}}" : tensor<2xf32>
func.func @numbers_written_out_go_to_the_store() -> tensor<2xf32> {
  %c = graph.constant dense<[1.0, 2.0]> : tensor<2xf32>
  func.return %c : tensor<2xf32>
}

// CHECK-LABEL: func.func @other_relayouts_stay
// CHECK-NEXT:    graph.relayout %x
func.func @other_relayouts_stay(%x: tensor<1x16x2x2xf32>) -> tensor<1x16x2x2xf32, #graph.layout<NCHW16c>> {
  %p = graph.relayout %x : tensor<1x16x2x2xf32> -> tensor<1x16x2x2xf32, #graph.layout<NCHW16c>>
  func.return %p : tensor<1x16x2x2xf32, #graph.layout<NCHW16c>>
}
