// RUN: lamina-opt %s -p recognize-normalization | filecheck %s

// CHECK-LABEL: func.func @quotient_is_one_op
// CHECK-NEXT:    %[[Y:.*]] = graph.normalize %x axes [2] epsilon 1.000000e-05 {lamina.source = "div1"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @quotient_is_one_op(%x: tensor<2x5x8xf32>) -> tensor<2x5x8xf32> {
  %e = graph.constant dense<1.0e-05> : tensor<1x1x1xf32>
  %m = graph.reduce "mean" %x over [2] : tensor<2x5x8xf32> -> tensor<2x5x1xf32>
  %d = graph.sub %x, %m : (tensor<2x5x8xf32>, tensor<2x5x1xf32>) -> tensor<2x5x8xf32>
  %q = graph.mul %d, %d : (tensor<2x5x8xf32>, tensor<2x5x8xf32>) -> tensor<2x5x8xf32>
  %v = graph.reduce "mean" %q over [2] : tensor<2x5x8xf32> -> tensor<2x5x1xf32>
  %a = graph.add %v, %e : (tensor<2x5x1xf32>, tensor<1x1x1xf32>) -> tensor<2x5x1xf32>
  %s = graph.sqrt %a : tensor<2x5x1xf32> -> tensor<2x5x1xf32>
  %y = graph.div %d, %s {lamina.source = "div1"} : (tensor<2x5x8xf32>, tensor<2x5x1xf32>) -> tensor<2x5x8xf32>
  func.return %y : tensor<2x5x8xf32>
}

// The difference may be computed twice, and the mean of a map is an op of its own.
// CHECK-LABEL: func.func @product_with_an_inverse_is_one_op
// CHECK-NEXT:    %[[Y:.*]] = graph.normalize %x axes [2, 3] epsilon 2.500000e-01
// CHECK-NEXT:    func.return %[[Y]]
func.func @product_with_an_inverse_is_one_op(%x: tensor<2x5x8x8xf32>) -> tensor<2x5x8x8xf32> {
  %e = graph.constant dense<0.25> : tensor<2x5x1x1xf32>
  %1 = graph.constant dense<1.0> : tensor<1x1x1x1xf32>
  %m = graph.global_avg_pool %x : tensor<2x5x8x8xf32> -> tensor<2x5x1x1xf32>
  %d = graph.sub %x, %m : (tensor<2x5x8x8xf32>, tensor<2x5x1x1xf32>) -> tensor<2x5x8x8xf32>
  %c = graph.sub %x, %m : (tensor<2x5x8x8xf32>, tensor<2x5x1x1xf32>) -> tensor<2x5x8x8xf32>
  %q = graph.mul %c, %d : (tensor<2x5x8x8xf32>, tensor<2x5x8x8xf32>) -> tensor<2x5x8x8xf32>
  %v = graph.global_avg_pool %q : tensor<2x5x8x8xf32> -> tensor<2x5x1x1xf32>
  %a = graph.add %e, %v : (tensor<2x5x1x1xf32>, tensor<2x5x1x1xf32>) -> tensor<2x5x1x1xf32>
  %s = graph.sqrt %a : tensor<2x5x1x1xf32> -> tensor<2x5x1x1xf32>
  %r = graph.div %1, %s : (tensor<1x1x1x1xf32>, tensor<2x5x1x1xf32>) -> tensor<2x5x1x1xf32>
  %y = graph.mul %r, %c : (tensor<2x5x1x1xf32>, tensor<2x5x8x8xf32>) -> tensor<2x5x8x8xf32>
  func.return %y : tensor<2x5x8x8xf32>
}

// CHECK-LABEL: func.func @other_axes_stay
// CHECK:         graph.div
func.func @other_axes_stay(%x: tensor<5x5xf32>) -> tensor<5x5xf32> {
  %e = graph.constant dense<1.0e-05> : tensor<1x1xf32>
  %m = graph.reduce "mean" %x over [1] : tensor<5x5xf32> -> tensor<5x1xf32>
  %d = graph.sub %x, %m : (tensor<5x5xf32>, tensor<5x1xf32>) -> tensor<5x5xf32>
  %q = graph.mul %d, %d : (tensor<5x5xf32>, tensor<5x5xf32>) -> tensor<5x5xf32>
  %v = graph.reduce "mean" %q over [0] : tensor<5x5xf32> -> tensor<1x5xf32>
  %a = graph.add %v, %e : (tensor<1x5xf32>, tensor<1x1xf32>) -> tensor<1x5xf32>
  %s = graph.sqrt %a : tensor<1x5xf32> -> tensor<1x5xf32>
  %y = graph.div %d, %s : (tensor<5x5xf32>, tensor<1x5xf32>) -> tensor<5x5xf32>
  func.return %y : tensor<5x5xf32>
}

// CHECK-LABEL: func.func @epsilon_that_differs_stays
// CHECK:         graph.div
func.func @epsilon_that_differs_stays(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %e = graph.constant dense<[[0.25], [0.5]]> : tensor<2x1xf32>
  %m = graph.reduce "mean" %x over [1] : tensor<2x5xf32> -> tensor<2x1xf32>
  %d = graph.sub %x, %m : (tensor<2x5xf32>, tensor<2x1xf32>) -> tensor<2x5xf32>
  %q = graph.mul %d, %d : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x5xf32>
  %v = graph.reduce "mean" %q over [1] : tensor<2x5xf32> -> tensor<2x1xf32>
  %a = graph.add %v, %e : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %s = graph.sqrt %a : tensor<2x1xf32> -> tensor<2x1xf32>
  %y = graph.div %d, %s : (tensor<2x5xf32>, tensor<2x1xf32>) -> tensor<2x5xf32>
  func.return %y : tensor<2x5xf32>
}

// CHECK-LABEL: func.func @mean_of_another_tensor_stays
// CHECK:         graph.div
func.func @mean_of_another_tensor_stays(%x: tensor<2x5xf32>, %z: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %e = graph.constant dense<1.0e-05> : tensor<1x1xf32>
  %m = graph.reduce "mean" %z over [1] : tensor<2x5xf32> -> tensor<2x1xf32>
  %d = graph.sub %x, %m : (tensor<2x5xf32>, tensor<2x1xf32>) -> tensor<2x5xf32>
  %q = graph.mul %d, %d : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x5xf32>
  %v = graph.reduce "mean" %q over [1] : tensor<2x5xf32> -> tensor<2x1xf32>
  %a = graph.add %v, %e : (tensor<2x1xf32>, tensor<1x1xf32>) -> tensor<2x1xf32>
  %s = graph.sqrt %a : tensor<2x1xf32> -> tensor<2x1xf32>
  %y = graph.div %d, %s : (tensor<2x5xf32>, tensor<2x1xf32>) -> tensor<2x5xf32>
  func.return %y : tensor<2x5xf32>
}
