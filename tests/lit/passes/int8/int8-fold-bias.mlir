// RUN: lamina-opt %s -p int8-fold-bias | filecheck %s

// CHECK-LABEL: func.func @what_is_added_in_steps_of_the_sums_joins_their_bias
// CHECK:         %[[B:.*]] = graph.constant dense<[11, 22]> : tensor<2xi32>
// CHECK-NEXT:    %[[Y:.*]] = graph.dense %x, %w bias %[[B]] : (tensor<3x2xui8>, tensor<2x2xi8>, tensor<2xi32>) -> tensor<3x2xi32>
// CHECK-NEXT:    %[[R:.*]] = graph.dequantize %[[Y]], %s, %n {lamina.source = "y"}
// CHECK-NEXT:    func.return %[[R]]
func.func @what_is_added_in_steps_of_the_sums_joins_their_bias(%x: tensor<3x2xui8>) -> tensor<3x2xf32> {
  %s = graph.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %n = graph.constant dense<0> : tensor<1x1xi32>
  %w = graph.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %b = graph.constant dense<[10, 20]> : tensor<2xi32>
  %c = graph.constant dense<[[1, 2]]> : tensor<1x2xi32>
  %a = graph.dense %x, %w bias %b : (tensor<3x2xui8>, tensor<2x2xi8>, tensor<2xi32>) -> tensor<3x2xi32>
  %d = graph.dequantize %a, %s, %n : (tensor<3x2xi32>, tensor<1x2xf32>, tensor<1x1xi32>) -> tensor<3x2xf32>
  %e = graph.dequantize %c, %s, %n : (tensor<1x2xi32>, tensor<1x2xf32>, tensor<1x1xi32>) -> tensor<1x2xf32>
  %y = graph.add %d, %e {lamina.source = "y"} : (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  func.return %y : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @other_steps_stay
// CHECK:         graph.add
func.func @other_steps_stay(%x: tensor<3x2xui8>) -> tensor<3x2xf32> {
  %s = graph.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %t = graph.constant dense<0.5> : tensor<1x1xf32>
  %n = graph.constant dense<0> : tensor<1x1xi32>
  %w = graph.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %c = graph.constant dense<[[1, 2]]> : tensor<1x2xi32>
  %a = graph.dense %x, %w : (tensor<3x2xui8>, tensor<2x2xi8>) -> tensor<3x2xi32>
  %d = graph.dequantize %a, %s, %n : (tensor<3x2xi32>, tensor<1x2xf32>, tensor<1x1xi32>) -> tensor<3x2xf32>
  %e = graph.dequantize %c, %t, %n : (tensor<1x2xi32>, tensor<1x1xf32>, tensor<1x1xi32>) -> tensor<1x2xf32>
  %y = graph.add %d, %e : (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  func.return %y : tensor<3x2xf32>
}
