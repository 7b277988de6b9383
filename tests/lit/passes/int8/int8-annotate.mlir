// RUN: lamina-opt %s -p int8-annotate | filecheck %s
// RUN: lamina-opt %s -p 'int8-annotate{whole=true kinds=conv,dense keep_float="n?med"}' | filecheck %s --check-prefix=WHOLE

// The first convolution and the last layer stay float; a pool has the scale of what it reads, and a
// relu is a part of the sum before it.
// CHECK-LABEL: func.func @what_lies_between_layers_has_8_bits(
// CHECK-SAME:    %x: tensor<1x2x4x4xf32> {lamina.input = "image"})
// CHECK:         graph.conv2d %x, %w1 {{[^{]*}} :
// CHECK-NEXT:    graph.relu %c {int8.range = ["r"]}
// CHECK-NEXT:    graph.max_pool2d %r {{.*}} {int8.range = ["r"]}
// CHECK:         graph.conv2d %p, %w2 {{.*}} {lamina.source = "named", int8.range = ["named"], int8.layer}
// CHECK-NEXT:    graph.add %d, %p : (
// CHECK-NEXT:    graph.relu %s {int8.range = ["t"]}
// CHECK-NEXT:    graph.conv2d %t, %w2 {{.*}} {int8.layer} :
// CHECK-NEXT:    graph.global_avg_pool %e :
// CHECK-NEXT:    graph.reshape %g :
// CHECK:         graph.dense %f, %w3 :

// WHOLE-LABEL: func.func @what_lies_between_layers_has_8_bits(
// WHOLE-SAME:    %x: tensor<1x2x4x4xf32> {lamina.input = "image", int8.range = ["image"]}
// WHOLE:         graph.conv2d %x, %w1 {{.*}} {int8.layer} :
// WHOLE-NEXT:    graph.relu %c :
// WHOLE-NEXT:    graph.max_pool2d {{[^{]*}} :
// WHOLE:         graph.conv2d %p, %w2 {{.*}} {lamina.source = "named"} :
// WHOLE-NEXT:    graph.add %d, %p : (
// WHOLE-NEXT:    graph.relu %s {int8.range = ["t"]}
// WHOLE-NEXT:    graph.conv2d %t, %w2 {{.*}} {int8.layer} :
// WHOLE-NEXT:    graph.global_avg_pool %e :
// WHOLE-NEXT:    graph.reshape %g {int8.range = ["f"]}
// WHOLE:         graph.dense %f, %w3 {int8.layer} :
func.func @what_lies_between_layers_has_8_bits(%x: tensor<1x2x4x4xf32> {lamina.input = "image"}) -> tensor<1x3xf32> {
  %w1 = graph.constant "0000000000000001" : tensor<2x2x1x1xf32>
  %c = graph.conv2d %x, %w1 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %r = graph.relu %c : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %p = graph.max_pool2d %r kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %w2 = graph.constant "0000000000000002" : tensor<2x2x1x1xf32>
  %d = graph.conv2d %p, %w2 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 {lamina.source = "named"} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %s = graph.add %d, %p : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %t = graph.relu %s : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %e = graph.conv2d %t, %w2 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %g = graph.global_avg_pool %e : tensor<1x2x2x2xf32> -> tensor<1x2x1x1xf32>
  %f = graph.reshape %g : tensor<1x2x1x1xf32> -> tensor<1x2xf32>
  %w3 = graph.constant "0000000000000003" : tensor<3x2xf32>
  %y = graph.dense %f, %w3 : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  func.return %y : tensor<1x3xf32>
}
