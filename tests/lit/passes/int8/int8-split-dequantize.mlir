// RUN: lamina-opt %s -p int8-split-dequantize | filecheck %s

// CHECK-LABEL: func.func @each_reader_has_its_own
// CHECK-NEXT:    %[[A:.*]] = graph.dequantize %q, %s, %z
// CHECK-NEXT:    %[[T:.*]] = graph.tanh %[[A]]
// CHECK-NEXT:    %[[B:.*]] = graph.dequantize %q, %s, %z
// CHECK-NEXT:    %[[Y:.*]] = graph.mul %[[T]], %[[B]]
// CHECK-NEXT:    func.return %[[Y]]
func.func @each_reader_has_its_own(%q: tensor<4xui8>, %s: tensor<1xf32>, %z: tensor<1xui8>) -> tensor<4xf32> {
  %x = graph.dequantize %q, %s, %z : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %t = graph.tanh %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.mul %t, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @it_stands_before_its_reader
// CHECK-NEXT:    graph.tanh %a
// CHECK-NEXT:    graph.dequantize %q, %s, %z {lamina.source = "x"}
// CHECK-NEXT:    graph.mul
func.func @it_stands_before_its_reader(%q: tensor<4xui8>, %s: tensor<1xf32>, %z: tensor<1xui8>, %a: tensor<4xf32>) -> tensor<4xf32> {
  %x = graph.dequantize %q, %s, %z {lamina.source = "x"} : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %t = graph.tanh %a : tensor<4xf32> -> tensor<4xf32>
  %y = graph.mul %t, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @sums_and_other_readers_share_one
// CHECK-NEXT:    %[[X:.*]] = graph.dequantize %q
// CHECK-NEXT:    graph.reduce "sum" %[[X]]
// CHECK-NEXT:    func.return %{{.*}}, %[[X]]
func.func @sums_and_other_readers_share_one(%q: tensor<4xui8>, %s: tensor<1xf32>, %z: tensor<1xui8>) -> (tensor<1xf32>, tensor<4xf32>) {
  %x = graph.dequantize %q, %s, %z : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %y = graph.reduce "sum" %x over [0] : tensor<4xf32> -> tensor<1xf32>
  func.return %y, %x : tensor<1xf32>, tensor<4xf32>
}
