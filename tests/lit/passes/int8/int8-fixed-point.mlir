// RUN: lamina-opt %s -p int8-fixed-point 2>&1 | filecheck %s

// CHECK: lamina: remark: int8-fixed-point: requantizations in fixed point: 4, in float: 2 (1 of graph.exp, 1 by a scale or zero point that is not known, or not usable)

// CHECK-LABEL: func.func @scales_are_multipliers_and_shifts(
// CHECK-DAG:     %[[M:.*]] = graph.constant dense<[[1099511680, 1610612736]]> : tensor<1x2xi32>
// CHECK-DAG:     %[[S:.*]] = graph.constant dense<[[7, 0]]> : tensor<1x2xi32>
// CHECK-NEXT:    graph.requantize_fixed %a, %[[M]], %[[S]] zero 3 {lamina.source = "y"} : (tensor<3x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>) -> tensor<3x2xui8>
func.func @scales_are_multipliers_and_shifts(%a: tensor<3x2xi32>) -> tensor<3x2xui8> {
  %s = graph.constant dense<[[1.0e-3, 0.1875]]> : tensor<1x2xf32>
  %z = graph.constant dense<3> : tensor<1x1xui8>
  %y = graph.requantize %a, %s, %z {lamina.source = "y"} : (tensor<3x2xi32>, tensor<1x2xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  func.return %y : tensor<3x2xui8>
}

// CHECK-LABEL: func.func @large_scales_shift_sums_that_do_not_saturate(
// CHECK-DAG:     %[[LOW:.*]] = graph.constant dense<[[-2048, -2147483648]]> : tensor<1x2xi32>
// CHECK-DAG:     %[[HIGH:.*]] = graph.constant dense<[[2048, 2147483647]]> : tensor<1x2xi32>
// CHECK-DAG:     %[[BY:.*]] = graph.constant dense<[[8, 1]]> : tensor<1x2xi32>
// CHECK:         %[[A:.*]] = graph.maximum %a, %[[LOW]]
// CHECK-NEXT:    %[[B:.*]] = graph.minimum %[[A]], %[[HIGH]]
// CHECK-NEXT:    %[[X:.*]] = graph.mul %[[B]], %[[BY]]
// CHECK-DAG:     %[[M:.*]] = graph.constant dense<1073741824> : tensor<1x2xi32>
// CHECK-DAG:     %[[S:.*]] = graph.constant dense<0> : tensor<1x2xi32>
// CHECK-NEXT:    graph.requantize_fixed %[[X]], %[[M]], %[[S]] zero -128
func.func @large_scales_shift_sums_that_do_not_saturate(%a: tensor<3x2xi32>) -> tensor<3x2xi8> {
  %s = graph.constant dense<[[1.0, 0.125]]> : tensor<1x2xf32>
  %z = graph.constant dense<-128> : tensor<1x1xi8>
  %y = graph.requantize %a, %s, %z : (tensor<3x2xi32>, tensor<1x2xf32>, tensor<1x1xi8>) -> tensor<3x2xi8>
  func.return %y : tensor<3x2xi8>
}

// CHECK-LABEL: func.func @sums_of_bytes_have_one_shift(
// CHECK:         %[[A:.*]] = graph.cast %a : tensor<4xui8> -> tensor<4xi32>
// CHECK-NEXT:    %[[I:.*]] = graph.constant dense<4194304> : tensor<1xi32>
// CHECK-NEXT:    %[[P:.*]] = graph.mul %[[A]], %[[I]]
// CHECK-NEXT:    %[[B:.*]] = graph.cast %b : tensor<4xui8> -> tensor<4xi32>
// CHECK-NEXT:    %[[J:.*]] = graph.constant dense<-2097152> : tensor<1xi32>
// CHECK-NEXT:    %[[Q:.*]] = graph.mul %[[B]], %[[J]]
// CHECK-NEXT:    %[[R:.*]] = graph.add %[[P]], %[[Q]]
// CHECK-NEXT:    %[[C:.*]] = graph.constant dense<-8388608> : tensor<1xi32>
// CHECK-NEXT:    %[[X:.*]] = graph.add %[[R]], %[[C]]
// CHECK-NEXT:    %[[ONE:.*]] = graph.constant dense<1073741824> : tensor<1xi32>
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<20> : tensor<1xi32>
// CHECK-NEXT:    %[[Y:.*]] = graph.requantize_fixed %[[X]], %[[ONE]], %[[S]] zero 2
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<2> : tensor<1xui8>
// CHECK-NEXT:    graph.maximum %[[Y]], %[[Z]] {lamina.source = "q"}
func.func @sums_of_bytes_have_one_shift(%a: tensor<4xui8>, %b: tensor<4xui8>) -> tensor<4xui8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %t = graph.constant dense<0.25> : tensor<1xf32>
  %u = graph.constant dense<1.0> : tensor<1xf32>
  %n = graph.constant dense<0> : tensor<1xui8>
  %z = graph.constant dense<2> : tensor<1xui8>
  %x = graph.dequantize %a, %s, %z : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %y = graph.dequantize %b, %t, %n : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %d = graph.sub %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = graph.relu %d : tensor<4xf32> -> tensor<4xf32>
  %q = graph.quantize %r, %u, %z {lamina.source = "q"} : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %q : tensor<4xui8>
}

// CHECK-LABEL: func.func @products_of_bytes_are_sums_of_one(
// CHECK:         %[[B:.*]] = graph.sub %{{.*}} : (tensor<4xi32>, tensor<1xi32>) -> tensor<4xi32>
// CHECK:         %[[P:.*]] = graph.mul %{{.*}}, %[[B]] : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK:         graph.maximum %[[P]]
// CHECK:         graph.requantize_fixed {{.*}} zero 0
func.func @products_of_bytes_are_sums_of_one(%a: tensor<4xui8>, %b: tensor<4xi8>) -> tensor<4xui8> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %t = graph.constant dense<0.25> : tensor<1xf32>
  %n = graph.constant dense<-5> : tensor<1xi8>
  %z = graph.constant dense<0> : tensor<1xui8>
  %x = graph.dequantize %a, %s, %z : (tensor<4xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xf32>
  %y = graph.dequantize %b, %t, %n : (tensor<4xi8>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xf32>
  %m = graph.mul %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %q = graph.quantize %m, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %q : tensor<4xui8>
}

// CHECK-LABEL: func.func @real_numbers_and_unknown_scales_stay(
// CHECK:         graph.quantize %x
// CHECK-NEXT:    graph.quantize %e
// CHECK-NEXT:    graph.requantize %a
func.func @real_numbers_and_unknown_scales_stay(%x: tensor<4xf32>, %a: tensor<4xi32>, %u: tensor<1xf32>) -> (tensor<4xui8>, tensor<4xui8>, tensor<4xui8>) {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<0> : tensor<1xui8>
  %e = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
  %p = graph.quantize %x, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  %q = graph.quantize %e, %s, %z : (tensor<4xf32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  %y = graph.requantize %a, %u, %z : (tensor<4xi32>, tensor<1xf32>, tensor<1xui8>) -> tensor<4xui8>
  func.return %p, %q, %y : tensor<4xui8>, tensor<4xui8>, tensor<4xui8>
}
