// RUN: lamina-opt %s -p int8-unsigned | filecheck %s

// The bias is 5 - 128 * (1 + 2).
// CHECK-LABEL: func.func @what_is_stored_for_a_convolution_is_unsigned
// CHECK-DAG:     %[[Z:.*]] = graph.constant dense<131> : tensor<1x1x1x1xui8>
// CHECK-DAG:     %[[Q:.*]] = graph.requantize %a, %s, %[[Z]] : (tensor<1x2x4x4xi32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xui8>
// CHECK-DAG:     %[[B:.*]] = graph.constant dense<-379> : tensor<1xi32>
// CHECK-DAG:     %[[Y:.*]] = graph.conv2d %[[Q]], %w bias %[[B]] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 131 {lamina.source = "y"} : (tensor<1x2x4x4xui8>, tensor<1x2x1x1xi8>, tensor<1xi32>)
// CHECK:         func.return %[[Y]]
func.func @what_is_stored_for_a_convolution_is_unsigned(%a: tensor<1x2x4x4xi32>) -> tensor<1x1x6x6xi32> {
  %s = graph.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1x1x1xi8>
  %w = graph.constant dense<[[[[1]], [[2]]]]> : tensor<1x2x1x1xi8>
  %b = graph.constant dense<5> : tensor<1xi32>
  %q = graph.requantize %a, %s, %z : (tensor<1x2x4x4xi32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x2x4x4xi8>
  %y = graph.conv2d %q, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 3 {lamina.source = "y"} : (tensor<1x2x4x4xi8>, tensor<1x2x1x1xi8>, tensor<1xi32>) -> tensor<1x1x6x6xi32>
  func.return %y : tensor<1x1x6x6xi32>
}

// CHECK-LABEL: func.func @all_that_reads_it_knows
// CHECK-DAG:     %[[Q:.*]] = graph.quantize %x, {{.*}} -> tensor<1x2x4x4xui8>
// CHECK-DAG:     %[[M:.*]] = graph.max_pool2d %[[Q]] {{.*}} : tensor<1x2x4x4xui8> -> tensor<1x2x2x2xui8>
// CHECK-DAG:     %[[C:.*]] = graph.constant dense<138> : tensor<1x1x1x1xui8>
// CHECK-DAG:     %[[N:.*]] = graph.maximum %[[M]], %[[C]]
// CHECK-DAG:     %[[Y:.*]] = graph.conv2d %[[N]],
// CHECK-DAG:     %[[R:.*]] = graph.dequantize %[[N]], %s, %{{.*}} : (tensor<1x2x2x2xui8>,
// CHECK:         func.return %[[Y]], %[[R]]
func.func @all_that_reads_it_knows(%x: tensor<1x2x4x4xf32>) -> (tensor<1x1x2x2xi32>, tensor<1x2x2x2xf32>) {
  %s = graph.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1x1x1xi8>
  %c = graph.constant dense<10> : tensor<1x1x1x1xi8>
  %w = graph.constant dense<[[[[1]], [[2]]]]> : tensor<1x2x1x1xi8>
  %q = graph.quantize %x, %s, %z : (tensor<1x2x4x4xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x2x4x4xi8>
  %m = graph.max_pool2d %q kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x2x4x4xi8> -> tensor<1x2x2x2xi8>
  %n = graph.maximum %m, %c : (tensor<1x2x2x2xi8>, tensor<1x1x1x1xi8>) -> tensor<1x2x2x2xi8>
  %y = graph.conv2d %n, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xi8>, tensor<1x2x1x1xi8>) -> tensor<1x1x2x2xi32>
  %r = graph.dequantize %n, %s, %z : (tensor<1x2x2x2xi8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x2x2x2xf32>
  func.return %y, %r : tensor<1x1x2x2xi32>, tensor<1x2x2x2xf32>
}

// CHECK-LABEL: func.func @inputs_and_results_are_converted
// CHECK-DAG:     %[[B:.*]] = graph.constant dense<-128> : tensor<1x1xi8>
// CHECK-DAG:     %[[U:.*]] = graph.xor %x, %[[B]]
// CHECK-DAG:     %[[C:.*]] = graph.cast %[[U]] : tensor<3x2xi8> -> tensor<3x2xui8>
// CHECK-DAG:     %[[A:.*]] = graph.dense %[[C]], %w bias
// CHECK-DAG:     %[[Q:.*]] = graph.requantize %[[A]], {{.*}} -> tensor<3x1xui8>
// CHECK-DAG:     %[[V:.*]] = graph.xor %[[Q]],
// CHECK-DAG:     %[[Y:.*]] = graph.cast %[[V]] {lamina.source = "y"} : tensor<3x1xui8> -> tensor<3x1xi8>
// CHECK:         func.return %[[Y]]
func.func @inputs_and_results_are_converted(%x: tensor<3x2xi8>) -> tensor<3x1xi8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xi8>
  %w = graph.constant dense<[[1, 2]]> : tensor<1x2xi8>
  %a = graph.dense %x, %w : (tensor<3x2xi8>, tensor<1x2xi8>) -> tensor<3x1xi32>
  %y = graph.requantize %a, %s, %z {lamina.source = "y"} : (tensor<3x1xi32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<3x1xi8>
  func.return %y : tensor<3x1xi8>
}

// CHECK-LABEL: func.func @constants_in_a_concat_are_larger_too
// CHECK-DAG:     %[[C:.*]] = graph.constant dense<{{.*}}0, 255{{.*}}> : tensor<1x2xui8>
// CHECK-DAG:     %[[J:.*]] = graph.concat axis 1 %{{.*}}, %[[C]] : (tensor<1x1xui8>, tensor<1x2xui8>) -> tensor<1x3xui8>
// CHECK-DAG:     graph.dense %[[J]]
func.func @constants_in_a_concat_are_larger_too(%x: tensor<1x1xf32>) -> tensor<1x1xi32> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %z = graph.constant dense<3> : tensor<1x1xi8>
  %c = graph.constant dense<[[-128, 127]]> : tensor<1x2xi8>
  %w = graph.constant dense<[[1, 2, 3]]> : tensor<1x3xi8>
  %q = graph.quantize %x, %s, %z : (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<1x1xi8>
  %j = graph.concat axis 1 %q, %c : (tensor<1x1xi8>, tensor<1x2xi8>) -> tensor<1x3xi8>
  %y = graph.dense %j, %w : (tensor<1x3xi8>, tensor<1x3xi8>) -> tensor<1x1xi32>
  func.return %y : tensor<1x1xi32>
}
