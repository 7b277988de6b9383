// RUN: lamina-opt %s | filecheck %s
// RUN: lamina-opt %s --print-op-generic | lamina-opt | filecheck %s

// CHECK-LABEL: func.func @elements_are_taken
// CHECK-NEXT:    graph.slice %x starts [0, 63, 1, 7] steps [1, -2, 1, -1] : tensor<1x64x8x8xf32> -> tensor<1x32x4x8xf32>
// CHECK-NEXT:    graph.gather axis 2 [2, 1, 0, 1, 2] %x : tensor<1x64x8x8xf32> -> tensor<1x64x5x8xf32>
// CHECK-NEXT:    graph.tile %x : tensor<1x64x8x8xf32> -> tensor<3x64x8x16xf32>
func.func @elements_are_taken(%x: tensor<1x64x8x8xf32>) {
  %0 = graph.slice %x starts [0, 63, 1, 7] steps [1, -2, 1, -1] : tensor<1x64x8x8xf32> -> tensor<1x32x4x8xf32>
  %1 = graph.gather axis 2 [2, 1, 0, 1, 2] %x : tensor<1x64x8x8xf32> -> tensor<1x64x5x8xf32>
  %2 = graph.tile %x : tensor<1x64x8x8xf32> -> tensor<3x64x8x16xf32>
  func.return
}

// CHECK-LABEL: func.func @depth_and_space
// CHECK-NEXT:    graph.depth_to_space %x block 2 order "dcr" : tensor<1x64x8x8xf32> -> tensor<1x16x16x16xf32>
// CHECK-NEXT:    graph.depth_to_space %x block 4 order "crd" {lamina.source = "d"} : tensor<1x64x8x8xf32> -> tensor<1x4x32x32xf32>
// CHECK-NEXT:    graph.space_to_depth %x block 2 : tensor<1x64x8x8xf32> -> tensor<1x256x4x4xf32>
func.func @depth_and_space(%x: tensor<1x64x8x8xf32>) {
  %0 = graph.depth_to_space %x block 2 order "dcr" : tensor<1x64x8x8xf32> -> tensor<1x16x16x16xf32>
  %1 = graph.depth_to_space %x block 4 order "crd" {lamina.source = "d"} : tensor<1x64x8x8xf32> -> tensor<1x4x32x32xf32>
  %2 = graph.space_to_depth %x block 2 : tensor<1x64x8x8xf32> -> tensor<1x256x4x4xf32>
  func.return
}

// CHECK-LABEL: func.func @dimensions_are_reduced
// CHECK-NEXT:    graph.reduce "sum" %x over [2, 3] : tensor<1x64x8x8xf32> -> tensor<1x64x1x1xf32>
// CHECK-NEXT:    graph.reduce "sum_square" %x over [1] : tensor<1x64x8x8xf32> -> tensor<1x1x8x8xf32>
func.func @dimensions_are_reduced(%x: tensor<1x64x8x8xf32>) {
  %0 = graph.reduce "sum" %x over [2, 3] : tensor<1x64x8x8xf32> -> tensor<1x64x1x1xf32>
  %1 = graph.reduce "sum_square" %x over [1] : tensor<1x64x8x8xf32> -> tensor<1x1x8x8xf32>
  func.return
}
