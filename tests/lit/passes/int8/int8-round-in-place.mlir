// RUN: lamina-opt %s -p int8-round-in-place | filecheck %s

// CHECK-LABEL: func.func @bytes_that_nobody_stores_are_real_numbers
// CHECK:         %[[R:.*]] = graph.cast %x : tensor<3x4xi32> -> tensor<3x4xf32>
// CHECK-NEXT:    %[[M:.*]] = graph.mul %[[R]], %s
// CHECK-NEXT:    %[[C:.*]] = graph.clip %[[M]] between -3.000000e+00 and 2.520000e+02
// CHECK-NEXT:    %[[N:.*]] = graph.round %[[C]]
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[N]], %t {lamina.source = "y"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @bytes_that_nobody_stores_are_real_numbers(%x: tensor<3x4xi32>, %s: tensor<1x4xf32>, %t: tensor<1x1xf32>) -> tensor<3x4xf32> {
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %q = graph.requantize %x, %s, %z : (tensor<3x4xi32>, tensor<1x4xf32>, tensor<1x1xui8>) -> tensor<3x4xui8>
  %y = graph.dequantize %q, %t, %z {lamina.source = "y"} : (tensor<3x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @bytes_that_are_read_twice_stay
// CHECK:         graph.requantize
// CHECK-NEXT:    graph.dequantize
func.func @bytes_that_are_read_twice_stay(%x: tensor<3x4xi32>, %s: tensor<1x4xf32>, %t: tensor<1x1xf32>) -> (tensor<3x4xf32>, tensor<3x4xui8>) {
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %q = graph.requantize %x, %s, %z : (tensor<3x4xi32>, tensor<1x4xf32>, tensor<1x1xui8>) -> tensor<3x4xui8>
  %y = graph.dequantize %q, %t, %z : (tensor<3x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x4xf32>
  func.return %y, %q : tensor<3x4xf32>, tensor<3x4xui8>
}

// CHECK-LABEL: func.func @those_of_two_meanings_are_moved
// CHECK:         %[[C:.*]] = graph.clip %{{.*}} between -3.000000e+00 and 2.520000e+02
// CHECK-NEXT:    %[[N:.*]] = graph.round %[[C]]
// CHECK-NEXT:    %[[D:.*]] = graph.constant dense<-1.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT:    %[[M:.*]] = graph.add %[[N]], %[[D]]
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[M]], %t
// CHECK-NEXT:    func.return %[[Y]]
func.func @those_of_two_meanings_are_moved(%x: tensor<3x4xi32>, %s: tensor<1x4xf32>, %t: tensor<1x1xf32>) -> tensor<3x4xf32> {
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %o = graph.constant dense<4> : tensor<1x1xui8>
  %q = graph.requantize %x, %s, %z : (tensor<3x4xi32>, tensor<1x4xf32>, tensor<1x1xui8>) -> tensor<3x4xui8>
  %y = graph.dequantize %q, %t, %o : (tensor<3x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @those_of_real_numbers_stay
// CHECK:         graph.requantize
// CHECK-NEXT:    graph.dequantize
func.func @those_of_real_numbers_stay(%v: tensor<3x4xf32>, %s: tensor<1x4xf32>, %t: tensor<1x1xf32>) -> tensor<3x4xf32> {
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %p = graph.requantize %v, %s, %z : (tensor<3x4xf32>, tensor<1x4xf32>, tensor<1x1xui8>) -> tensor<3x4xui8>
  %u = graph.dequantize %p, %t, %z : (tensor<3x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x4xf32>
  func.return %u : tensor<3x4xf32>
}
