// RUN: lamina-opt %s -p expand-avg-pool | filecheck %s

// CHECK-LABEL: func.func @mean_of_elements_inside_is_a_scaled_mean_of_all
// CHECK-NEXT:    %[[M:.*]] = graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] count_pads true
// CHECK-NEXT:    %[[C:.*]] = graph.constant "{{[0-9a-f]+}}" : tensor<1x1x8x8xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[M]], %[[C]] {lamina.source = "pool1"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @mean_of_elements_inside_is_a_scaled_mean_of_all(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %y = graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] count_pads false {lamina.source = "pool1"} : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: func.func @without_padding_both_are_the_same
// CHECK-NEXT:    %[[Y:.*]] = graph.avg_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] count_pads true
// CHECK-NEXT:    func.return %[[Y]]
func.func @without_padding_both_are_the_same(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %y = graph.avg_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] count_pads false : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  func.return %y : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @taps_that_are_apart_stay_so
// CHECK-NEXT:    %{{.*}} = graph.avg_pool2d %x kernel [1, 3] strides [1, 1] pads [0, 2, 0, 2] dilations [1, 2] count_pads true
// CHECK-NEXT:    graph.constant "{{[0-9a-f]+}}" : tensor<1x1x8x5xf32>
// CHECK-NEXT:    graph.mul
func.func @taps_that_are_apart_stay_so(%x: tensor<1x4x8x5xf32>) -> tensor<1x4x8x5xf32> {
  %y = graph.avg_pool2d %x kernel [1, 3] strides [1, 1] pads [0, 2, 0, 2] dilations [1, 2] count_pads false : tensor<1x4x8x5xf32> -> tensor<1x4x8x5xf32>
  func.return %y : tensor<1x4x8x5xf32>
}
