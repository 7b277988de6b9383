// RUN: lamina-opt %s -p tabulate-gathers | filecheck %s

// CHECK-LABEL: func.func @scattered_indices_are_a_table
// CHECK-NEXT:    %[[I:.*]] = graph.constant "{{[0-9a-f]+}}" : tensor<18xi32>
// CHECK-NEXT:    %{{.*}} = graph.take axis 0 %x at %[[I]] {lamina.source = "g"} : tensor<9x2xf32>, tensor<18xi32> -> tensor<18x2xf32>
func.func @scattered_indices_are_a_table(%x: tensor<9x2xf32>) -> tensor<18x2xf32> {
  %y = graph.gather axis 0 [7, 2, 8, 0, 3, 3, 6, 1, 4, 4, 0, 5, 1, 7, 3, 8, 2, 2] %x {lamina.source = "g"} : tensor<9x2xf32> -> tensor<18x2xf32>
  func.return %y : tensor<18x2xf32>
}

// CHECK-LABEL: func.func @shuffle_is_a_formula
// CHECK-NEXT:    graph.gather axis 1 [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15] %x
func.func @shuffle_is_a_formula(%x: tensor<2x16xf32>) -> tensor<2x16xf32> {
  %y = graph.gather axis 1 [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15] %x : tensor<2x16xf32> -> tensor<2x16xf32>
  func.return %y : tensor<2x16xf32>
}
