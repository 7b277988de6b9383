// RUN: lamina-opt %s -p share-kernels --split-input-file | filecheck %s

// CHECK-LABEL: func.func @different_factors_are_given
// CHECK-NEXT:    %[[N:.*]] = graph.constant "[[KEY:.*]]" : tensor<1xf32>
// CHECK-NEXT:    %[[A:.*]] = func.call @mul_0(%x, %[[N]]) {lamina.source = "a"}
// CHECK-NEXT:    %[[M:.*]] = graph.constant
// CHECK-NEXT:    %[[B:.*]] = func.call @mul_0(%[[A]], %[[M]])
// CHECK-NEXT:    %[[K:.*]] = graph.constant "[[KEY]]" : tensor<1xf32>
// CHECK-NEXT:    %[[C:.*]] = func.call @mul_0(%[[B]], %[[K]])
// CHECK-NEXT:    func.return %[[C]]
// CHECK:       func.func private @mul_0(%x: tensor<4xf32>, %n: tensor<1xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %[[D:.*]] = graph.constant dense<3.000000e+00>
// CHECK-NEXT:    %[[T:.*]] = graph.mul %x, %n
// CHECK-NEXT:    graph.add %[[T]], %[[D]]
// CHECK-NOT:   func.func
func.func @different_factors_are_given(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = func.call @mul_0(%x) {lamina.source = "a"} : (tensor<4xf32>) -> tensor<4xf32>
  %b = func.call @mul_1(%a) : (tensor<4xf32>) -> tensor<4xf32>
  %c = func.call @mul_0(%b) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}
func.func private @mul_0(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant dense<0.5> : tensor<1xf32>
  %d = graph.constant dense<3.0> : tensor<1xf32>
  %t = graph.mul %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %u = graph.add %t, %d : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %u : tensor<4xf32>
}
func.func private @mul_1(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant dense<0.25> : tensor<1xf32>
  %d = graph.constant dense<3.0> : tensor<1xf32>
  %t = graph.mul %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %u = graph.add %t, %d : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %u : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @so_are_scales_and_zero_points
// CHECK:         func.call @requantize_0(%x, %{{.*}}, %{{.*}}) : (tensor<4xi32>, tensor<1xf32>, tensor<1xui8>)
// CHECK:         func.call @requantize_0(%x, %{{.*}}, %{{.*}})
// CHECK:       func.func private @requantize_0(%x: tensor<4xi32>, %n: tensor<1xf32>, %n_1: tensor<1xui8>)
// CHECK-NEXT:    graph.requantize %x, %n, %n_1
// CHECK-NOT:   func.func
func.func @so_are_scales_and_zero_points(%x: tensor<4xi32>) -> (tensor<4xui8>, tensor<4xui8>) {
  %a = func.call @requantize_0(%x) : (tensor<4xi32>) -> tensor<4xui8>
  %b = func.call @requantize_1(%x) : (tensor<4xi32>) -> tensor<4xui8>
  func.return %a, %b : tensor<4xui8>, tensor<4xui8>
}
func.func private @requantize_0(%x: tensor<4xi32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<3> : tensor<1xui8>
  %q = graph.requantize %x, %s, %z : (tensor<4xi32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %q : tensor<4xui8>
}
func.func private @requantize_1(%x: tensor<4xi32>) -> tensor<4xui8> {
  %s = graph.constant dense<0.25> : tensor<1xf32>
  %z = graph.constant dense<255> : tensor<1xui8>
  %q = graph.requantize %x, %s, %z : (tensor<4xi32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %q : tensor<4xui8>
}

// -----

// CHECK-LABEL: func.func @exponents_and_the_number_one_stay
// CHECK-COUNT-4: func.call @{{(pow|mul)_[0-9]}}(%x)
func.func @exponents_and_the_number_one_stay(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = func.call @pow_0(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %b = func.call @pow_1(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %c = func.call @mul_2(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %d = func.call @mul_3(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a, %b, %c, %d : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
// CHECK: func.func private @pow_0(%x: tensor<4xf32>) -> tensor<4xf32>
func.func private @pow_0(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant dense<2.0> : tensor<1xf32>
  %t = graph.pow %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %t : tensor<4xf32>
}
// CHECK: func.func private @pow_1(%x: tensor<4xf32>) -> tensor<4xf32>
func.func private @pow_1(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant dense<3.0> : tensor<1xf32>
  %t = graph.pow %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %t : tensor<4xf32>
}
// CHECK: func.func private @mul_2(%x: tensor<4xf32>) -> tensor<4xf32>
func.func private @mul_2(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant dense<1.0> : tensor<1xf32>
  %t = graph.mul %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %t : tensor<4xf32>
}
// CHECK: func.func private @mul_3(%x: tensor<4xf32>) -> tensor<4xf32>
func.func private @mul_3(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant dense<2.0> : tensor<1xf32>
  %t = graph.mul %x, %c : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  func.return %t : tensor<4xf32>
}
