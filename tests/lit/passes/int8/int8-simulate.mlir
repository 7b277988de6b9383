// RUN: lamina-opt %s -p 'int8-simulate{ranges="'%S'/inputs/ranges.json"}' --split-input-file | filecheck %s
// RUN: lamina-opt %s -p 'int8-simulate{ranges="'%S'/inputs/ranges.json" activations=s8 seven_bit=true}' --split-input-file | filecheck %s --check-prefix=SIGNED

// 2.55 is 255 steps of 1/100, of which 100 are below 0; weights are 127 steps, a bias has the
// product of both steps.
// CHECK-LABEL: func.func @inputs_weights_and_biases_are_rounded
// CHECK:         %[[S:.*]] = graph.constant dense<{{.*}}> : tensor<1x1x1x1xf32>
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<100> : tensor<1x1x1x1xui8>
// CHECK-NEXT:    %[[Q:.*]] = graph.quantize %x, %[[S]], %[[Z]] : {{.*}} -> tensor<1x1x4x4xui8>
// CHECK-NEXT:    %[[D:.*]] = graph.dequantize %[[Q]], %[[S]], %[[Z]] : {{.*}} -> tensor<1x1x4x4xf32>
// CHECK:         graph.constant dense<{{\[}}500, -100]> : tensor<2xi32>
// CHECK:         %[[B:.*]] = graph.dequantize {{.*}} -> tensor<2xf32>
// CHECK:         graph.constant dense<{{.*}}127{{.*}}-127{{.*}}> : tensor<2x1x1x1xi8>
// CHECK-NEXT:    graph.constant dense<{{\[}}{{\[\[\[}}1.000000e+00]]], {{\[\[\[}}2.000000e+00]]]]> : tensor<2x1x1x1xf32>
// CHECK:         %[[W:.*]] = graph.dequantize {{.*}} -> tensor<2x1x1x1xf32>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %[[D]], %[[W]] bias %[[B]]
// CHECK-NEXT:    func.return %[[Y]]

// SIGNED-LABEL: func.func @inputs_weights_and_biases_are_rounded
// SIGNED:         graph.constant dense<-28> : tensor<1x1x1x1xi8>
// SIGNED:         graph.constant dense<{{.*}}64{{.*}}-64{{.*}}> : tensor<2x1x1x1xi8>
func.func @inputs_weights_and_biases_are_rounded(%x: tensor<1x1x4x4xf32> {int8.range = ["image"]}) -> tensor<1x2x4x4xf32> {
  %w = graph.constant dense<[[[[127.0]]], [[[-254.0]]]]> : tensor<2x1x1x1xf32>
  %b = graph.constant dense<[5.0, -2.0]> : tensor<2xf32>
  %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {int8.layer} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  func.return %y : tensor<1x2x4x4xf32>
}

// -----

// What is returned is not rounded, and the one range of two tensors covers both.
// CHECK-LABEL: func.func @all_that_reads_a_tensor_reads_it_rounded
// CHECK:         %a = graph.relu %x
// CHECK-NEXT:    graph.constant dense<{{.*}}> : tensor<1x1xf32>
// CHECK-NEXT:    graph.constant dense<0> : tensor<1x1xui8>
// CHECK-NEXT:    graph.quantize %a,
// CHECK-NEXT:    %[[D:.*]] = graph.dequantize
// CHECK-NEXT:    graph.exp %[[D]]
// CHECK:         %[[V:.*]] = graph.dequantize {{.*}} -> tensor<4x2xf32>
// CHECK-NEXT:    graph.matmul %[[D]], %[[V]]
// CHECK:         func.return %a,

// SIGNED-LABEL: func.func @all_that_reads_a_tensor_reads_it_rounded
// SIGNED:         graph.constant dense<-128> : tensor<1x1xi8>
func.func @all_that_reads_a_tensor_reads_it_rounded(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x2xf32>) {
  %w = graph.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %a = graph.relu %x {int8.range = ["a", "b"]} : tensor<1x4xf32> -> tensor<1x4xf32>
  %e = graph.exp %a : tensor<1x4xf32> -> tensor<1x4xf32>
  %y = graph.matmul %a, %w {int8.layer} : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  func.return %a, %e, %y : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x2xf32>
}
