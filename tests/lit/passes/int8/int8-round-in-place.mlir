// RUN: lamina-opt %s -p int8-round-in-place | filecheck %s

// CHECK-LABEL: func.func @bytes_that_nobody_stores_are_real_numbers
// CHECK:         %[[R:.*]] = graph.cast %x : tensor<3x4xi32> -> tensor<3x4xf32>
// CHECK-NEXT:    %[[M:.*]] = graph.mul %[[R]], %s
// CHECK-NEXT:    %[[N:.*]] = graph.round %[[M]]
// CHECK-NEXT:    %[[C:.*]] = graph.clip %[[N]] between -1.280000e+02 and 1.270000e+02
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[C]], %t {lamina.source = "y"}
// CHECK-NEXT:    func.return %[[Y]]
func.func @bytes_that_nobody_stores_are_real_numbers(%x: tensor<3x4xi32>, %s: tensor<1x4xf32>, %t: tensor<1x1xf32>) -> tensor<3x4xf32> {
  %z = graph.constant dense<0> : tensor<1x1xi8>
  %q = graph.requantize %x, %s, %z : (tensor<3x4xi32>, tensor<1x4xf32>, tensor<1x1xi8>) -> tensor<3x4xi8>
  %y = graph.dequantize %q, %t, %z {lamina.source = "y"} : (tensor<3x4xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<3x4xf32>
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

// CHECK-LABEL: func.func @zero_points_are_added_before_the_bounds_and_subtracted_behind_them
// CHECK:         %[[N:.*]] = graph.round
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<3.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT:    %[[A:.*]] = graph.add %[[N]], %[[Z]]
// CHECK-NEXT:    %[[C:.*]] = graph.clip %[[A]] between 0.000000e+00 and 2.550000e+02
// CHECK-NEXT:    %[[O:.*]] = graph.constant dense<4.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT:    %[[D:.*]] = graph.sub %[[C]], %[[O]]
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[D]], %t
// CHECK-NEXT:    func.return %[[Y]]
func.func @zero_points_are_added_before_the_bounds_and_subtracted_behind_them(%x: tensor<3x4xi32>, %s: tensor<1x4xf32>, %t: tensor<1x1xf32>) -> tensor<3x4xf32> {
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
