// RUN: lamina-opt %s -p int8-average | filecheck %s
// RUN: lamina-opt %s -p int8-average{even=true} | filecheck %s --check-prefix=EVEN

// 3 * 4 elements: the zero point 5 is in the sum 12 times.
// CHECK-LABEL: func.func @a_mean_is_a_sum_of_bytes
// CHECK:         %[[W:.*]] = graph.constant {{.*}} : tensor<2x1x3x4xi8>
// CHECK-NEXT:    %[[B:.*]] = graph.constant dense<-60> : tensor<2xi32>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %q, %[[W]] bias %[[B]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x2x3x4xui8>, tensor<2x1x3x4xi8>, tensor<2xi32>) -> tensor<1x2x1x1xi32>
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<5.000000e-01> : tensor<1x1x1x1xf32>
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<0> : tensor<1x1x1x1xi32>
// CHECK-NEXT:    graph.dequantize %[[Y]], %[[S]], %[[Z]] {lamina.source = "mean"}
func.func @a_mean_is_a_sum_of_bytes(%q: tensor<1x2x3x4xui8>) -> tensor<1x2x1x1xf32> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x3x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x3x4xf32>
  %y = graph.global_avg_pool %x {lamina.source = "mean"} : tensor<1x2x3x4xf32> -> tensor<1x2x1x1xf32>
  func.return %y : tensor<1x2x1x1xf32>
}

// CHECK-LABEL: func.func @so_is_one_over_two_dimensions
// CHECK:         graph.conv2d %q, {{.*}} groups 2
// CHECK-LABEL: func.func @one_over_channels_stays
// CHECK:         graph.reduce "mean"
func.func @so_is_one_over_two_dimensions(%q: tensor<1x2x3x4xui8>) -> tensor<1x2x1x1xf32> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x3x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x3x4xf32>
  %y = graph.reduce "mean" %x over [2, 3] : tensor<1x2x3x4xf32> -> tensor<1x2x1x1xf32>
  func.return %y : tensor<1x2x1x1xf32>
}
func.func @one_over_channels_stays(%q: tensor<1x2x3x4xui8>) -> tensor<1x1x3x4xf32> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x3x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x3x4xf32>
  %y = graph.reduce "mean" %x over [1] : tensor<1x2x3x4xf32> -> tensor<1x1x3x4xf32>
  func.return %y : tensor<1x1x3x4xf32>
}

// Outside is the zero point; a window has 4, 6 or 9 elements inside.
// CHECK-LABEL: func.func @where_fewer_count_the_sums_are_divided_by_how_many
// CHECK:         %[[Y:.*]] = graph.conv2d %q, {{.*}} strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] groups 2 fill 5
// CHECK:         %[[X:.*]] = graph.dequantize %[[Y]]
// CHECK-NEXT:    %[[P:.*]] = graph.constant dense<{{.*}}2.500000e-01, 0.166666672{{.*}}0.166666672, 0.111111112{{.*}}> : tensor<1x1x2x2xf32>
// CHECK-NEXT:    graph.mul %[[X]], %[[P]] {lamina.source = "mean"}
func.func @where_fewer_count_the_sums_are_divided_by_how_many(%q: tensor<1x2x4x4xui8>) -> tensor<1x2x2x2xf32> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x4x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xf32>
  %y = graph.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_pads false {lamina.source = "mean"} : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  func.return %y : tensor<1x2x2x2xf32>
}

// CHECK-LABEL: func.func @where_padding_counts_all_are_divided_by_all
// CHECK:         graph.constant dense<0.666666687> : tensor<1x1x1x1xf32>
// CHECK-NOT:     graph.mul
func.func @where_padding_counts_all_are_divided_by_all(%q: tensor<1x2x4x4xui8>) -> tensor<1x2x2x2xf32> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x4x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xf32>
  %y = graph.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_pads true : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  func.return %y : tensor<1x2x2x2xf32>
}

// Stored as what it is made of, the mean is one of the stored numbers: outside is the zero point.
// CHECK-LABEL: func.func @a_mean_of_bytes_that_mean_the_same
// CHECK:         %[[W:.*]] = graph.constant {{.*}} : tensor<2x1x3x3xi8>
// CHECK-NEXT:    %[[Y:.*]] = graph.conv2d %q, %[[W]] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] groups 2 fill 5 :
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<0.111111112> : tensor<1x1x1x1xf32>
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<0> : tensor<1x1x1x1xui8>
// CHECK-NEXT:    graph.requantize %[[Y]], %[[S]], %[[Z]] {lamina.source = "stored"} : {{.*}} -> tensor<1x2x2x2xui8>
func.func @a_mean_of_bytes_that_mean_the_same(%q: tensor<1x2x4x4xui8>) -> tensor<1x2x2x2xui8> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x4x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xf32>
  %y = graph.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_pads true : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %r = graph.quantize %y, %s, %z {lamina.source = "stored"} : (tensor<1x2x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x2x2xui8>
  func.return %r : tensor<1x2x2x2xui8>
}

// Another scale, or fewer elements at the edges: of differences to the zero point.
// CHECK-LABEL: func.func @a_mean_stored_in_other_steps
// CHECK:         graph.conv2d %q, %{{.*}} bias
// CHECK:         graph.quantize
// CHECK-LABEL: func.func @a_mean_of_fewer_at_the_edge
// CHECK:         graph.conv2d %q, %{{.*}} bias
// CHECK:         graph.quantize
func.func @a_mean_stored_in_other_steps(%q: tensor<1x2x4x4xui8>) -> tensor<1x2x2x2xui8> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %t = graph.constant dense<3.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x4x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xf32>
  %y = graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] count_pads true : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %r = graph.quantize %y, %t, %z : (tensor<1x2x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x2x2xui8>
  func.return %r : tensor<1x2x2x2xui8>
}
func.func @a_mean_of_fewer_at_the_edge(%q: tensor<1x2x4x4xui8>) -> tensor<1x2x2x2xui8> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x4x4xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x4xf32>
  %y = graph.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_pads false : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %r = graph.quantize %y, %s, %z : (tensor<1x2x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x2x2xui8>
  func.return %r : tensor<1x2x2x2xui8>
}

// An even number of elements: the mean is one of real numbers, rounded with the zero point added.
// CHECK-LABEL: func.func @a_mean_that_lies_between_two_steps
// CHECK-NOT:     graph.conv2d
// CHECK:         %[[M:.*]] = graph.avg_pool2d %x kernel [2, 3]
// CHECK-DAG:     %[[Z:.*]] = graph.constant dense<5.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-DAG:     %[[N:.*]] = graph.constant dense<0> : tensor<1x1x1x1xui8>
// CHECK:         %[[D:.*]] = graph.div %[[M]], %s
// CHECK-NEXT:    %[[A:.*]] = graph.add %[[D]], %[[Z]]
// CHECK-NEXT:    %[[Y:.*]] = graph.requantize %[[A]], %{{.*}}, %[[N]] {lamina.source = "stored"}
// CHECK-NEXT:    func.return %[[Y]]
// EVEN-LABEL: func.func @a_mean_that_lies_between_two_steps
// EVEN:          %[[Y:.*]] = graph.conv2d %q, %{{.*}} -> tensor<1x2x3x3xi32>
// EVEN-NOT:      graph.avg_pool2d
// EVEN:          graph.requantize %[[Y]], %{{.*}} {lamina.source = "stored"}
func.func @a_mean_that_lies_between_two_steps(%q: tensor<1x2x4x5xui8>) -> tensor<1x2x3x3xui8> {
  %s = graph.constant dense<6.0> : tensor<1x1x1x1xf32>
  %z = graph.constant dense<5> : tensor<1x1x1x1xui8>
  %x = graph.dequantize %q, %s, %z : (tensor<1x2x4x5xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x4x5xf32>
  %y = graph.avg_pool2d %x kernel [2, 3] strides [1, 1] pads [0, 0, 0, 0] count_pads true : tensor<1x2x4x5xf32> -> tensor<1x2x3x3xf32>
  %r = graph.quantize %y, %s, %z {lamina.source = "stored"} : (tensor<1x2x3x3xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x2x3x3xui8>
  func.return %r : tensor<1x2x3x3xui8>
}
