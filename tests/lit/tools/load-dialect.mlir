// RUN: lamina-opt %s --load %S/inputs/twice.py | filecheck %s
// RUN: lamina-opt %s --load %S/inputs/twice.py -p lower-twice --validate 2>&1 | filecheck %s --check-prefix LOWERED
// RUN: not lamina-opt %s 2>&1 | filecheck %s --check-prefix UNKNOWN

// UNKNOWN: {{^}}lamina-opt: {{.*}}load-dialect.mlir:15:19: Operation mine.twice is not registered

// LOWERED:      lower-twice: exact; interpreted @op_of_a_file_outside_the_tree_has_a_meaning on 4 kinds
// LOWERED-SAME: of samples; largest difference 0
// LOWERED-LABEL: func.func @op_of_a_file_outside_the_tree_has_a_meaning
// LOWERED-NEXT:    graph.add %x, %x

// CHECK-LABEL: func.func @op_of_a_file_outside_the_tree_has_a_meaning
// CHECK-NEXT:    mine.twice %x : tensor<4xf32> -> tensor<4xf32>
func.func @op_of_a_file_outside_the_tree_has_a_meaning(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = mine.twice %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
