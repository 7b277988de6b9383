// RUN: lamina-opt %s -p int8-reciprocal-scales | filecheck %s

// CHECK-LABEL: func.func @what_was_computed_is_multiplied
// CHECK:         %[[S:.*]] = graph.constant dense<4.000000e+00> : tensor<1xf32>
// CHECK-NEXT:    graph.requantize %{{.*}}, %[[S]], %z {lamina.source = "y"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
func.func @what_was_computed_is_multiplied(%a: tensor<4xf32>) -> tensor<4xui8> {
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
