// RUN: lamina-opt %s -p int8-requantize | filecheck %s

// CHECK-LABEL: func.func @sums_are_scaled_once
// CHECK:         %[[S:.*]] = graph.constant dense<{{\[}}[2.500000e-01, 5.000000e-01]]> : tensor<1x2xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.requantize %a, %[[S]], %z {lamina.source = "y"} : (tensor<3x2xi32>, tensor<1x2xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
// CHECK-NEXT:    func.return %[[Y]]
func.func @sums_are_scaled_once(%a: tensor<3x2xi32>) -> tensor<3x2xui8> {
  %s = graph.constant dense<[[0.5, 1.0]]> : tensor<1x2xf32>
  %t = graph.constant dense<2.0> : tensor<1x1xf32>
  %n = graph.constant dense<0> : tensor<1x1xi32>
  %z = graph.constant dense<7> : tensor<1x1xui8>
  %x = graph.dequantize %a, %s, %n : (tensor<3x2xi32>, tensor<1x2xf32>, tensor<1x1xi32>) -> tensor<3x2xf32>
  %y = graph.quantize %x, %t, %z {lamina.source = "y"} : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  func.return %y : tensor<3x2xui8>
}

// CHECK-LABEL: func.func @a_zero_point_of_sums_stays
// CHECK:         graph.dequantize
// CHECK-NEXT:    graph.quantize
func.func @a_zero_point_of_sums_stays(%a: tensor<3x2xi32>) -> tensor<3x2xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %n = graph.constant dense<1> : tensor<1x1xi32>
  %z = graph.constant dense<7> : tensor<1x1xui8>
  %x = graph.dequantize %a, %s, %n : (tensor<3x2xi32>, tensor<1x1xf32>, tensor<1x1xi32>) -> tensor<3x2xf32>
  %y = graph.quantize %x, %s, %z : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  func.return %y : tensor<3x2xui8>
}

// CHECK-LABEL: func.func @bytes_stay_bytes_that_are_read
// CHECK:         graph.dequantize
// CHECK-NEXT:    graph.quantize
func.func @bytes_stay_bytes_that_are_read(%a: tensor<3x2xui8>) -> tensor<3x2xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %t = graph.constant dense<2.0> : tensor<1x1xf32>
  %z = graph.constant dense<7> : tensor<1x1xui8>
  %x = graph.dequantize %a, %s, %z : (tensor<3x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %y = graph.quantize %x, %t, %z : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  func.return %y : tensor<3x2xui8>
}
