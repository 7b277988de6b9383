// RUN: lamina-opt %s -p transposes-to-views | filecheck %s

// CHECK-LABEL: func.func @heads_are_read_where_they_lie
// CHECK-NEXT:    %[[Q:.*]] = graph.transpose %q [0, 2, 1, 3] : tensor<1x6x2x8xf32> -> tensor<1x2x6x8xf32, #graph.layout<NHCW>>
// CHECK-NEXT:    %[[V:.*]] = graph.transpose %v [0, 2, 1, 3] : tensor<1x8x2x5xf32> -> tensor<1x2x8x5xf32, #graph.layout<NHCW>>
// CHECK-NEXT:    %[[P:.*]] = graph.matmul %[[Q]], %[[V]] : {{.*}} -> tensor<1x2x6x5xf32, #graph.layout<NHCW>>
// CHECK-NEXT:    graph.transpose %[[P]] [0, 2, 1, 3] : tensor<1x2x6x5xf32, #graph.layout<NHCW>> -> tensor<1x6x2x5xf32>
func.func @heads_are_read_where_they_lie(%q: tensor<1x6x2x8xf32>, %v: tensor<1x8x2x5xf32>) -> tensor<1x6x2x5xf32> {
  %a = graph.transpose %q [0, 2, 1, 3] : tensor<1x6x2x8xf32> -> tensor<1x2x6x8xf32>
  %b = graph.transpose %v [0, 2, 1, 3] : tensor<1x8x2x5xf32> -> tensor<1x2x8x5xf32>
  %p = graph.matmul %a, %b : (tensor<1x2x6x8xf32>, tensor<1x2x8x5xf32>) -> tensor<1x2x6x5xf32>
  %y = graph.transpose %p [0, 2, 1, 3] : tensor<1x2x6x5xf32> -> tensor<1x6x2x5xf32>
  func.return %y : tensor<1x6x2x5xf32>
}

// Rows of the right matrix have to be vectors, of the left one each number stands alone.
// CHECK-LABEL: func.func @columns_are_read_from_the_left_matrix_only
// CHECK-NEXT:    graph.transpose %x [0, 2, 1] : tensor<1x4x8xf32> -> tensor<1x8x4xf32>
// CHECK-NEXT:    graph.matmul
// CHECK-NEXT:    graph.transpose %x [0, 2, 1] : tensor<1x4x8xf32> -> tensor<1x8x4xf32, #graph.layout<NWC>>
// CHECK-NEXT:    graph.matmul
func.func @columns_are_read_from_the_left_matrix_only(%x: tensor<1x4x8xf32>) -> (tensor<1x4x4xf32>, tensor<1x8x8xf32>) {
  %a = graph.transpose %x [0, 2, 1] : tensor<1x4x8xf32> -> tensor<1x8x4xf32>
  %y = graph.matmul %x, %a : (tensor<1x4x8xf32>, tensor<1x8x4xf32>) -> tensor<1x4x4xf32>
  %b = graph.transpose %x [0, 2, 1] : tensor<1x4x8xf32> -> tensor<1x8x4xf32>
  %z = graph.matmul %b, %x : (tensor<1x8x4xf32>, tensor<1x4x8xf32>) -> tensor<1x8x8xf32>
  func.return %y, %z : tensor<1x4x4xf32>, tensor<1x8x8xf32>
}

// CHECK-LABEL: func.func @result_that_is_returned_is_transposed
// CHECK-NEXT:    graph.transpose %x [1, 0, 2] : tensor<2x4x8xf32> -> tensor<4x2x8xf32>
// CHECK-NEXT:    graph.relu
func.func @result_that_is_returned_is_transposed(%x: tensor<2x4x8xf32>) -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>) {
  %a = graph.transpose %x [1, 0, 2] : tensor<2x4x8xf32> -> tensor<4x2x8xf32>
  %y = graph.relu %a : tensor<4x2x8xf32> -> tensor<4x2x8xf32>
  func.return %a, %y : tensor<4x2x8xf32>, tensor<4x2x8xf32>
}
