// RUN: lamina-opt %s -p int8-reciprocal-scales | filecheck %s

// CHECK-LABEL: func.func @a_reciprocal_has_48_bits
// CHECK:         %[[H:.*]] = graph.constant dense<3.33333302> : tensor<1xf32>
// CHECK-NEXT:    %[[L:.*]] = graph.constant dense<1.85436676e-07> : tensor<1xf32>
// CHECK-NEXT:    %[[P:.*]] = graph.mul %x, %[[L]]
// CHECK-NEXT:    %[[Q:.*]] = graph.fma %x, %[[H]], %[[P]]
// CHECK-NEXT:    %[[ONE:.*]] = graph.constant dense<1.000000e+00> : tensor<1xf32>
// CHECK-NEXT:    graph.requantize %[[Q]], %[[ONE]], %z {lamina.source = "y"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
func.func @a_reciprocal_has_48_bits(%a: tensor<4xf32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.3> : tensor<1xf32>
  %z = graph.constant dense<7> : tensor<1xui8>
  %x = graph.tanh %a : tensor<4xf32> -> tensor<4xf32>
  %y = graph.quantize %x, %s, %z {lamina.source = "y"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y : tensor<4xui8>
}

// CHECK-LABEL: func.func @a_power_of_two_has_one_in_24
// CHECK:         %[[S:.*]] = graph.constant dense<4.000000e+00> : tensor<1xf32>
// CHECK-NEXT:    graph.requantize %{{.*}}, %[[S]], %z {lamina.source = "y"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
func.func @a_power_of_two_has_one_in_24(%a: tensor<4xf32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.25> : tensor<1xf32>
  %z = graph.constant dense<7> : tensor<1xui8>
  %x = graph.tanh %a : tensor<4xf32> -> tensor<4xf32>
  %y = graph.quantize %x, %s, %z {lamina.source = "y"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y : tensor<4xui8>
}

// CHECK-LABEL: func.func @inputs_are_divided
// CHECK:         graph.quantize
func.func @inputs_are_divided(%x: tensor<4xf32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.25> : tensor<1xf32>
  %z = graph.constant dense<7> : tensor<1xui8>
  %y = graph.quantize %x, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y : tensor<4xui8>
}

// CHECK-LABEL: func.func @scales_of_zero_and_unknown_ones_are_divided_by
// CHECK:         graph.quantize
// CHECK-NEXT:    graph.quantize
func.func @scales_of_zero_and_unknown_ones_are_divided_by(%a: tensor<4xf32>, %t: tensor<1xf32>) -> (tensor<4xui8>, tensor<4xui8>) {
  %s = graph.constant dense<0.0> : tensor<1xf32>
  %z = graph.constant dense<7> : tensor<1xui8>
  %x = graph.tanh %a : tensor<4xf32> -> tensor<4xf32>
  %y = graph.quantize %x, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  %u = graph.quantize %x, %t, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %y, %u : tensor<4xui8>, tensor<4xui8>
}
