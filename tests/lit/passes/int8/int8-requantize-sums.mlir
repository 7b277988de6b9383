// RUN: lamina-opt %s -p int8-requantize-sums | filecheck %s
// RUN: lamina-opt %s -p int8-requantize-sums,fuse-epilogues,outline-kernels,lower-graph-to-te,te-fuse-epilogue,te-contract-fma | filecheck %s --check-prefix=TE

// A step of a is half a step of the sum, one of b a quarter: 7 - (3 / 2 + 200 / 4) is -44.5.
// CHECK-LABEL: func.func @bytes_are_added_in_steps_of_their_sum
// CHECK:         %[[A:.*]] = graph.dequantize %a, %[[ONE:.*]], %[[NONE:.*]] : (tensor<3x2xui8>
// CHECK:         %[[B:.*]] = graph.dequantize %b, %
// CHECK-NEXT:    %[[T:.*]] = graph.constant dense<2.500000e-01> : tensor<1x1xf32>
// CHECK-NEXT:    %[[C:.*]] = graph.constant dense<-4.450000e+01> : tensor<1x1xf32>
// CHECK-NEXT:    %[[P:.*]] = graph.fma %[[B]], %[[T]], %[[C]]
// CHECK-NEXT:    %[[S:.*]] = graph.constant dense<5.000000e-01> : tensor<1x1xf32>
// CHECK-NEXT:    %[[Q:.*]] = graph.fma %[[A]], %[[S]], %[[P]]
// CHECK-NEXT:    %[[U:.*]] = graph.constant dense<1.000000e+00> : tensor<1x1xf32>
// CHECK-NEXT:    %[[Z:.*]] = graph.constant dense<0> : tensor<1x1xui8>
// CHECK-NEXT:    %[[Y:.*]] = graph.requantize %[[Q]], %[[U]], %[[Z]] {lamina.source = "y"}
// CHECK-NEXT:    func.return %[[Y]]

// Nothing else is multiplied, subtracted or divided on the way.
// TE-LABEL:    func.func private @dequantize_dequantize_fma_fma_requantize_0
// TE:            arith.extui %
// TE-NEXT:       %[[B:.*]] = arith.sitofp %
// TE-NEXT:       te.yield %[[B]]
// TE:            epilogue (%[[V:.*]]: f32, %{{.*}}: i8) {
// TE:            %[[P:.*]] = math.fma %[[V]], %{{.*}}, %{{.*}} : f32
// TE-NEXT:       arith.extui %
// TE-NEXT:       %[[A:.*]] = arith.sitofp %
// TE-NEXT:       arith.constant 5.000000e-01
// TE-NEXT:       %[[Q:.*]] = math.fma %[[A]], %{{.*}}, %[[P]] : f32
// TE:            %[[L:.*]] = arith.maxnumf %[[Q]], %
// TE-NEXT:       %[[H:.*]] = arith.minnumf %[[L]], %
// TE-NEXT:       %[[R:.*]] = math.roundeven %[[H]]
// TE-NEXT:       %[[I:.*]] = arith.fptosi %[[R]]
// TE-NEXT:       arith.trunci %[[I]]
func.func @bytes_are_added_in_steps_of_their_sum(%a: tensor<3x2xui8>, %b: tensor<3x2xui8>) -> tensor<3x2xui8> {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %t = graph.constant dense<0.25> : tensor<1x1xf32>
  %u = graph.constant dense<1.0> : tensor<1x1xf32>
  %x = graph.constant dense<3> : tensor<1x1xui8>
  %y = graph.constant dense<200> : tensor<1x1xui8>
  %z = graph.constant dense<7> : tensor<1x1xui8>
  %c = graph.dequantize %a, %s, %x : (tensor<3x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %d = graph.dequantize %b, %t, %y : (tensor<3x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %e = graph.add %c, %d : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %q = graph.quantize %e, %u, %z {lamina.source = "y"} : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  func.return %q : tensor<3x2xui8>
}

// Ones that others read, of sums in steps so small that errors would reach one, and of real numbers.
// CHECK-LABEL: func.func @other_sums_stay
// CHECK-COUNT-3: graph.quantize
// CHECK:         func.return
func.func @other_sums_stay(%a: tensor<3x2xui8>, %v: tensor<3x2xf32>) -> (tensor<3x2xui8>, tensor<3x2xf32>, tensor<3x2xui8>, tensor<3x2xui8>) {
  %s = graph.constant dense<0.5> : tensor<1x1xf32>
  %t = graph.constant dense<0.001> : tensor<1x1xf32>
  %z = graph.constant dense<7> : tensor<1x1xui8>
  %c = graph.dequantize %a, %s, %z : (tensor<3x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xf32>
  %e = graph.add %c, %c : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %q = graph.quantize %e, %s, %z : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  %f = graph.add %c, %c : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %r = graph.quantize %f, %t, %z : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  %g = graph.add %c, %v : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %p = graph.quantize %g, %s, %z : (tensor<3x2xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<3x2xui8>
  func.return %q, %e, %r, %p : tensor<3x2xui8>, tensor<3x2xf32>, tensor<3x2xui8>, tensor<3x2xui8>
}
