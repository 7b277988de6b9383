// RUN: lamina-opt %s -p lower-graph-to-te --split-input-file --verify-diagnostics | filecheck %s

// A layout is a substitution into the accesses; the border of the result is one more op a side.
// CHECK-LABEL: func.func private @layouts_become_accesses(
// CHECK-SAME:    %x: memref<1x2x10x10x16xf32>, %w: memref<1x2x3x3x16x32xf32>, %b: memref<32xf32>, %y: memref<1x2x10x10x16xf32>)
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(n: 1, oc: 32, oh: 8, ow: 8, reduce ic: 32, reduce kh: 3, reduce kw: 3)
// CHECK-NEXT:      ins(%x[n, ic floordiv 16, kh + oh, kw + ow, ic mod 16], %w[oc floordiv 32, ic floordiv 16, kh, kw, ic mod 16, oc mod 32])
// CHECK-NEXT:      extras(%b[oc])
// CHECK-NEXT:      out(%y[n, oc floordiv 16, oh + 1, ow + 1, oc mod 16])
// CHECK:         te.compute
// CHECK-NEXT:      axes(d0: 1, d1: 32, side: 2, k: 1, d3: 8)
// CHECK-NEXT:      out(%y[d0, d1 floordiv 16, k + side * 9, d3 + 1, d1 mod 16])
// CHECK:         te.compute
// CHECK-NEXT:      axes(d0: 1, d1: 32, d2: 10, side: 2, k: 1)
// CHECK-NEXT:      out(%y[d0, d1 floordiv 16, d2, k + side * 9, d1 mod 16])
func.func private @layouts_become_accesses(%x: tensor<1x32x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>, %w: tensor<32x32x3x3xf32, #graph.layout<OIHW16i32o>>, %b: tensor<32xf32>) -> tensor<1x32x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>> {
  %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x32x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>, tensor<32x32x3x3xf32, #graph.layout<OIHW16i32o>>, tensor<32xf32>) -> tensor<1x32x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
  func.return %y : tensor<1x32x8x8xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>
}

// -----

// CHECK-LABEL: func.func private @input_without_halo_is_padded_by_the_read
// CHECK:           ins(%x[n, ic, kh + oh * 2 - 1, kw + ow * 2 - 1] pad 0.0
func.func private @input_without_halo_is_padded_by_the_read(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32> {
  %y = graph.conv2d %x, %w strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32>
  func.return %y : tensor<1x4x4x4xf32>
}

// -----

// CHECK-LABEL: func.func private @maximum_does_not_count_padding
// CHECK:           ins(%x[n, c, h + kh - 1, kw + w] pad -inf)
// CHECK:           init
func.func private @maximum_does_not_count_padding(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x6xf32> {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 0, 1, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x8x6xf32>
  func.return %y : tensor<1x4x8x6xf32>
}

// -----

// CHECK-LABEL: func.func private @nor_does_one_of_bytes
// CHECK:           ins(%x[n, c, h + kh - 1, kw + w] pad 0.0)
// CHECK:           init 0 : i8
// CHECK:           arith.maxui
// CHECK-LABEL: func.func private @with_a_sign_or_without
// CHECK:           ins(%x[n, c, h + kh - 1, kw + w] pad -128.0)
// CHECK:           init -128 : i8
// CHECK:           arith.maxsi
func.func private @nor_does_one_of_bytes(%x: tensor<1x4x8x8xui8>) -> tensor<1x4x8x6xui8> {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 0, 1, 0] : tensor<1x4x8x8xui8> -> tensor<1x4x8x6xui8>
  func.return %y : tensor<1x4x8x6xui8>
}
func.func private @with_a_sign_or_without(%x: tensor<1x4x8x8xi8>) -> tensor<1x4x8x6xi8> {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 0, 1, 0] : tensor<1x4x8x8xi8> -> tensor<1x4x8x6xi8>
  func.return %y : tensor<1x4x8x6xi8>
}

// -----

// CHECK-LABEL: func.func private @taps_are_apart
// CHECK:           axes(n: 1, c: 4, h: 4, w: 6, reduce kh: 3, reduce kw: 3)
// CHECK-NEXT:      ins(%x[n, c, h + kh * 2, kw + w])
func.func private @taps_are_apart(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x6xf32> {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x6xf32>
  func.return %y : tensor<1x4x4x6xf32>
}

// -----

// CHECK-LABEL: func.func private @phase_chooses_the_channel
// CHECK:           axes(n: 1, c: 2, h: 7, w: 7)
// CHECK-NEXT:      ins(%x[
// CHECK-NEXT:      out(%y[n, c, h, w])
func.func private @phase_chooses_the_channel(%x: tensor<1x8x4x4xf32>) -> tensor<1x2x7x7xf32> {
  %y = graph.interleave %x steps [2, 2] offsets [1, 1] groups 1 : tensor<1x8x4x4xf32> -> tensor<1x2x7x7xf32>
  func.return %y : tensor<1x2x7x7xf32>
}

// -----

// Integers of a product are as wide as their sum; what is around the image is a number.
// CHECK-LABEL: func.func private @products_of_integers_are_wide
// CHECK:           ins(%x[n, ic, kh + oh - 1, kw + ow] pad 128.0, %w[oc, ic, kh, kw])
// CHECK-NEXT:      extras(%b[oc])
// CHECK:           init 0 : i32
// CHECK-NEXT:      attributes {lamina.abs_b = 64 : i64}
// CHECK:           (%a: i8, %a1: i8, %acc: i32) {
// CHECK-NEXT:        %[[A:.*]] = arith.extui %a : i8 to i32
// CHECK-NEXT:        %[[B:.*]] = arith.extsi %a1 : i8 to i32
// CHECK-NEXT:        %[[P:.*]] = arith.muli %[[A]], %[[B]] : i32
// CHECK-NEXT:        arith.addi %acc, %[[P]] : i32
// CHECK:           epilogue (%v: i32, %c: i32) {
// CHECK-NEXT:        arith.addi %c, %v : i32
func.func private @products_of_integers_are_wide(%x: tensor<1x3x8x8xui8>, %w: tensor<4x3x3x3xi8>, %b: tensor<4xi32>) -> tensor<1x4x8x6xi32> {
  %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [1, 0, 1, 0] dilations [1, 1] groups 1 fill 128 {lamina.abs_b = 64 : i64} : (tensor<1x3x8x8xui8>, tensor<4x3x3x3xi8>, tensor<4xi32>) -> tensor<1x4x8x6xi32>
  func.return %y : tensor<1x4x8x6xi32>
}

// -----

// CHECK: lower-graph-to-te: graph.conv2d needs 3 around tensor<1x3x8x8xui8, #graph.layout<NCHW, halo [1:1, 1:1] of 128>>; give it a relayout with that halo
func.func private @border_of_another_number(%x: tensor<1x3x8x8xui8, #graph.layout<NCHW, halo [1:1, 1:1] of 128>>, %w: tensor<4x3x3x3xi8>) -> tensor<1x4x8x8xi32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 fill 3 : (tensor<1x3x8x8xui8, #graph.layout<NCHW, halo [1:1, 1:1] of 128>>, tensor<4x3x3x3xi8>) -> tensor<1x4x8x8xi32>
  func.return %y : tensor<1x4x8x8xi32>
}

// -----

// CHECK-LABEL: func.func private @border_is_of_its_fill
// CHECK:           out(%y[n, c floordiv 16, h, w + 1, c mod 16])
// CHECK:           axes(d0: 1, d1: 16, d2: 4, side: 2, k: 1)
// CHECK-NEXT:      out(%y[d0, d1 floordiv 16, d2, k + side * 5, d1 mod 16])
// CHECK-NEXT:      init -56 : i8
func.func private @border_is_of_its_fill(%x: tensor<1x16x4x4xui8>) -> tensor<1x16x4x4xui8, #graph.layout<NCHW16c, halo [1:1] of 200>> {
  %y = graph.relayout %x : tensor<1x16x4x4xui8> -> tensor<1x16x4x4xui8, #graph.layout<NCHW16c, halo [1:1] of 200>>
  func.return %y : tensor<1x16x4x4xui8, #graph.layout<NCHW16c, halo [1:1] of 200>>
}

// -----

// A zero point that is written out moves the limits between which numbers are cut off.
// CHECK-LABEL: func.func private @numbers_become_integers
// CHECK:           ins(%x[i0, i1], %s[0, i1])
// CHECK:           (%a: f32, %a1: f32, %acc: i8) {
// CHECK-NEXT:        %[[Q:.*]] = arith.divf %a, %a1 : f32
// CHECK-NEXT:        %[[Z:.*]] = arith.constant 200 : i32
// CHECK-NEXT:        %[[L:.*]] = arith.constant -2.000000e+02 : f32
// CHECK-NEXT:        %[[H:.*]] = arith.constant 5.500000e+01 : f32
// CHECK-NEXT:        %[[M:.*]] = arith.maxnumf %[[Q]], %[[L]] : f32
// CHECK-NEXT:        %[[N:.*]] = arith.minnumf %[[M]], %[[H]] : f32
// CHECK-NEXT:        %[[R:.*]] = math.roundeven %[[N]] : f32
// CHECK-NEXT:        %[[I:.*]] = arith.fptosi %[[R]] : f32 to i32
// CHECK-NEXT:        %[[J:.*]] = arith.addi %[[I]], %[[Z]] : i32
// CHECK-NEXT:        %[[K:.*]] = arith.trunci %[[J]] : i32 to i8
// CHECK-NEXT:        te.yield %[[K]] : i8
func.func private @numbers_become_integers(%x: tensor<2x8xf32>, %s: tensor<1x8xf32>) -> tensor<2x8xui8> {
  %z = graph.constant dense<200> : tensor<1x1xui8>
  %y = graph.quantize %x, %s, %z : (tensor<2x8xf32>, tensor<1x8xf32>, tensor<1x1xui8>) -> tensor<2x8xui8>
  func.return %y : tensor<2x8xui8>
}

// -----

// CHECK-LABEL: func.func private @sums_become_integers_by_a_zero_point_that_is_read
// CHECK:           ins(%x[i0, i1], %s[0, 0], %z[0, i1])
// CHECK:           (%a: i32, %a1: f32, %a2: i8, %acc: i8) {
// CHECK-NEXT:        %[[F:.*]] = arith.sitofp %a : i32 to f32
// CHECK-NEXT:        %[[S:.*]] = arith.mulf %[[F]], %a1 : f32
// CHECK-NEXT:        %[[Z:.*]] = arith.extsi %a2 : i8 to i32
// CHECK:             arith.maxnumf %[[S]]
// CHECK:             arith.addi %{{.*}}, %[[Z]] : i32
func.func private @sums_become_integers_by_a_zero_point_that_is_read(%x: tensor<2x8xi32>, %s: tensor<1x1xf32>, %z: tensor<1x8xi8>) -> tensor<2x8xi8> {
  %y = graph.requantize %x, %s, %z : (tensor<2x8xi32>, tensor<1x1xf32>, tensor<1x8xi8>) -> tensor<2x8xi8>
  func.return %y : tensor<2x8xi8>
}

// -----

// CHECK-LABEL: func.func private @sums_become_integers_in_fixed_point
// CHECK:           ins(%x[i0, i1], %m[0, i1])
// CHECK:           (%a: i32, %a1: i32, %acc: i8) {
// CHECK-NEXT:        %[[T:.*]] = arith.constant 7 : i32
// CHECK-NEXT:        %[[Q:.*]] = int8.requantize_fixed %a by %a1 shift %[[T]] to <s8, 1.000000e+00, -5> : i32
// CHECK-NEXT:        te.yield %[[Q]] : i8
func.func private @sums_become_integers_in_fixed_point(%x: tensor<2x8xi32>, %m: tensor<1x8xi32>) -> tensor<2x8xi8> {
  %t = graph.constant dense<7> : tensor<1x1xi32>
  %y = graph.requantize_fixed %x, %m, %t zero -5 : (tensor<2x8xi32>, tensor<1x8xi32>, tensor<1x1xi32>) -> tensor<2x8xi8>
  func.return %y : tensor<2x8xi8>
}

// -----

// CHECK-LABEL: func.func private @integers_become_numbers
// CHECK:           (%a: i8, %acc: f32) {
// CHECK:             %[[W:.*]] = arith.extui %a : i8 to i32
// CHECK-NEXT:        %[[Z:.*]] = arith.constant 3 : i32
// CHECK-NEXT:        %[[D:.*]] = arith.subi %[[W]], %[[Z]] : i32
// CHECK-NEXT:        %[[F:.*]] = arith.sitofp %[[D]] : i32 to f32
// CHECK-NEXT:        arith.mulf %[[F]], %{{.*}} : f32
func.func private @integers_become_numbers(%x: tensor<8xui8>) -> tensor<8xf32> {
  %s = graph.constant dense<0.5> : tensor<1xf32>
  %z = graph.constant dense<3> : tensor<1xui8>
  %y = graph.dequantize %x, %s, %z : (tensor<8xui8>, tensor<1xf32>, tensor<1xui8>) -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func private @each_channel_reads_itself
// CHECK:           axes(n: 1, oc: 32, oh: 6, ow: 6, reduce kh: 3, reduce kw: 3)
// CHECK-NEXT:      ins(%x[n, oc, kh + oh, kw + ow], %w[oc, 0, kh, kw])
func.func private @each_channel_reads_itself(%x: tensor<1x32x8x8xf32>, %w: tensor<32x1x3x3xf32>) -> tensor<1x32x6x6xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 32 : (tensor<1x32x8x8xf32>, tensor<32x1x3x3xf32>) -> tensor<1x32x6x6xf32>
  func.return %y : tensor<1x32x6x6xf32>
}

// -----

// CHECK-LABEL: func.func private @each_group_reads_its_own_channels
// CHECK:           axes(n: 1, g: 2, og: 3, oh: 8, ow: 8, reduce ic: 4, reduce kh: 1, reduce kw: 1)
// CHECK-NEXT:      ins(%x[n, g * 4 + ic, kh + oh, kw + ow], %w[g * 3 + og, ic, kh, kw])
func.func private @each_group_reads_its_own_channels(%x: tensor<1x8x8x8xf32>, %w: tensor<6x4x1x1xf32>) -> tensor<1x6x8x8xf32> {
  %y = graph.conv2d %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x8x8x8xf32>, tensor<6x4x1x1xf32>) -> tensor<1x6x8x8xf32>
  func.return %y : tensor<1x6x8x8xf32>
}

// -----

// CHECK-LABEL: func.func private @concat_writes_slices
// CHECK:           ins(%x[n, c, h, w])
// CHECK-NEXT:      out(%y[n, c, h, w])
// CHECK:           ins(%x_1[n, c, h, w])
// CHECK-NEXT:      out(%y[n, c + 4, h, w])
func.func private @concat_writes_slices(%x: tensor<1x4x2x2xf32>, %x_1: tensor<1x3x2x2xf32>) -> tensor<1x7x2x2xf32> {
  %y = graph.concat axis 1 %x, %x_1 : (tensor<1x4x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x7x2x2xf32>
  func.return %y : tensor<1x7x2x2xf32>
}

// -----

// CHECK-LABEL: func.func private @one_matrix_serves_the_batch
// CHECK:           axes(b0: 2, m: 4, n: 6, reduce k: 5)
// CHECK-NEXT:      ins(%a[b0, m, k], %b[0, k, n])
// CHECK-NEXT:      out(%y[b0, m, n])
func.func private @one_matrix_serves_the_batch(%a: tensor<2x4x5xf32>, %b: tensor<1x5x6xf32>) -> tensor<2x4x6xf32> {
  %y = graph.matmul %a, %b : (tensor<2x4x5xf32>, tensor<1x5x6xf32>) -> tensor<2x4x6xf32>
  func.return %y : tensor<2x4x6xf32>
}

// -----

// First the mean, then squares of differences from it, then the result.
// CHECK-LABEL: func.func private @statistics_take_two_passes
// CHECK-NEXT:    %[[M:.*]] = memref.alloc() : memref<1x32x1x1xf32>
// CHECK:           axes(n: 1, c: 32, reduce h: 4, reduce w: 4)
// CHECK-NEXT:      ins(%x[n, c floordiv 16, h, w, c mod 16])
// CHECK-NEXT:      out(%[[M]][n, c, 0, 0])
// CHECK:         %[[R:.*]] = memref.alloc() : memref<1x32x1x1xf32>
// CHECK:           axes(n: 1, c: 32, reduce h: 4, reduce w: 4)
// CHECK-NEXT:      ins(%x[n, c floordiv 16, h, w, c mod 16], %[[M]][n, c, 0, 0])
// CHECK-NEXT:      out(%[[R]][n, c, 0, 0])
// CHECK:           ins(%x[n, c floordiv 16, h, w, c mod 16], %[[M]][n, c, 0, 0], %[[R]][n, c, 0, 0])
func.func private @statistics_take_two_passes(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> {
  %y = graph.normalize %x axes [2, 3] epsilon 0.1 : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
}

// -----

// Sixteen neighbours at a time, then those sixteen, then the elements that are left.
// CHECK-LABEL: func.func private @neighbours_are_summed_side_by_side
// CHECK:           axes(m: 4, lane: 16, reduce chunk: 62)
// CHECK-NEXT:      ins(%a[m, chunk * 16 + lane], %b[chunk * 16 + lane, 0])
// CHECK-NEXT:      out(%[[P:.*]][m, lane])
// CHECK:           axes(m: 4, reduce lane: 16)
// CHECK-NEXT:      ins(%[[P]][m, lane])
// CHECK-NEXT:      out(%[[S:.*]][m, 0])
// CHECK:           axes(m: 4, reduce k: 9)
// CHECK-NEXT:      ins(%a[m, k + 992], %b[k + 992, 0])
// CHECK-NEXT:      extras(%[[S]][m, 0])
// CHECK-NEXT:      out(%y[m, 0])
func.func private @neighbours_are_summed_side_by_side(%a: tensor<4x1001xf32>, %b: tensor<1001x1xf32>) -> tensor<4x1xf32> {
  %y = graph.matmul %a, %b : (tensor<4x1001xf32>, tensor<1001x1xf32>) -> tensor<4x1xf32>
  func.return %y : tensor<4x1xf32>
}

// -----

// CHECK-LABEL: func.func private @logarithm_of_a_sum
// CHECK:           axes(i0: 2, reduce i1: 3)
// CHECK:         math.exp
// CHECK:         math.log
// CHECK:           axes(i0: 2, i1: 3)
func.func private @logarithm_of_a_sum(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = graph.log_softmax axis 1 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// -----

// The network's weights become arguments marked with their key, what kernels hand on an allocation.
// CHECK-LABEL: func.func @network_is_calls_on_buffers(
// CHECK-SAME:    %x: memref<4xf32> {lamina.input = "data"}, %b: memref<4xf32> {lamina.output = "prob"}, %c: memref<4xf32> {lamina.weight = "9f86d081884c7d65"})
// CHECK-SAME:    attributes {lamina.entry}
// CHECK-NEXT:    %a = memref.alloc() : memref<4xf32>
// CHECK-NEXT:    func.call @mul(%x, %c, %a) {lamina.source = "mul1"}
// CHECK-NEXT:    func.call @mul(%a, %c, %b)
// CHECK-NEXT:    func.return
func.func @network_is_calls_on_buffers(%x: tensor<4xf32> {lamina.input = "data"}) -> tensor<4xf32> attributes {lamina.entry, lamina.outputs = ["prob"]} {
  %c = graph.constant "9f86d081884c7d65" : tensor<4xf32>
  %a = func.call @mul(%x, %c) {lamina.source = "mul1"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = func.call @mul(%a, %c) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}
func.func private @mul(%x: tensor<4xf32>, %w: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.mul %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @view_of_a_result_is_a_cast
// CHECK:         %[[V:.*]] = memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [4], strides: [1] : memref<2x2xf32> to memref<4xf32>
// CHECK-NEXT:    func.call @neg(%x, %[[V]])
func.func @view_of_a_result_is_a_cast(%x: tensor<4xf32>) -> tensor<2x2xf32> {
  %a = func.call @neg(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %b = graph.reshape %a : tensor<4xf32> -> tensor<2x2xf32>
  func.return %b : tensor<2x2xf32>
}
func.func private @neg(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: lower-graph-to-te: graph.relu is in no kernel; run outline-kernels first
func.func @op_outside_a_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = func.call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %b = graph.relu %a : tensor<4xf32> -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: lower-graph-to-te: a constant tensor<4xf32> is written out; run pack-weights first, which stores it
func.func @constant_written_out(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = graph.constant dense<1.0> : tensor<4xf32>
  %a = func.call @f(%w) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a : tensor<4xf32>
}
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: lower-graph-to-te: graph.max_pool2d cannot tell the halo of tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> from elements; give it a relayout without a halo
func.func private @maximum_over_a_halo(%x: tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>>) -> tensor<1x4x8x8xf32> {
  %y = graph.max_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] : tensor<1x4x8x8xf32, #graph.layout<NCHW, halo [1:1, 1:1]>> -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// -----

// CHECK: lower-graph-to-te: graph.avg_pool2d that counts only elements inside has no formula with pads [1, 1, 1, 1]; run expand-avg-pool first
func.func private @mean_over_a_varying_count(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %y = graph.avg_pool2d %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] count_pads false : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}

// -----

// CHECK-LABEL: func.func private @results_are_written_apart(
// CHECK-SAME:    %[[X:.*]]: memref<4xf32>, %[[A:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>)
// CHECK:         ins(%[[X]][i0])
// CHECK-NEXT:    out(%[[A]][i0])
// CHECK:         ins(%[[A]][i0])
// CHECK-NEXT:    out(%[[B]][i0])
func.func private @results_are_written_apart(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y, %y : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func private @reshape_of_blocks(
// CHECK:         ins(%x[(i0 * 8 + i1) floordiv 16, ((i0 * 8 + i1) mod 16) floordiv 8, ((i0 * 8 + i1) mod 16) mod 8])
func.func private @reshape_of_blocks(%x: tensor<2x16xf32, #graph.layout<NC8c>>) -> tensor<4x8xf32> {
  %y = graph.reshape %x : tensor<2x16xf32, #graph.layout<NC8c>> -> tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// -----

// The second operand starts inside a block: runs of 12 and of 4 channels lie in one block each.
// CHECK-LABEL: func.func private @operands_share_a_block(
// CHECK:         axes(n: 1, c: 20, h: 2, w: 2)
// CHECK:         axes(n: 1, c: 12, h: 2, w: 2)
// CHECK-NEXT:    ins(%x[n, c floordiv 16, h, w, c mod 16])
// CHECK-NEXT:    out(%y[n, (c + 20) floordiv 16, h, w, (c + 20) mod 16])
// CHECK:         axes(n: 1, c: 4, h: 2, w: 2)
// CHECK-NEXT:    ins(%x[n, (c + 12) floordiv 16, h, w, (c + 12) mod 16])
// CHECK-NEXT:    out(%y[n, (c + 32) floordiv 16, h, w, (c + 32) mod 16])
// CHECK:         axes(n: 1, c: 4, h: 2, w: 2)
// CHECK-NEXT:    ins(%x[n, (c + 16) floordiv 16, h, w, (c + 16) mod 16])
// CHECK:         axes(n: 1, c: 8, h: 2, w: 2)
// CHECK-NEXT:    out(%y[n, (c + 40) floordiv 16, h, w, (c + 40) mod 16])
func.func private @operands_share_a_block(%x: tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x40x2x2xf32, #graph.layout<NCHW16c>> {
  %y = graph.concat axis 1 %x, %x : (tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>, tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x40x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x40x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// Channels of a block are summed up beside each other, then the 16 sums of each pixel; the first 4
// of them have one more to sum up. What pads the last block becomes zero.
// CHECK-LABEL: func.func private @softmax_of_ragged_channels(
// CHECK:         axes(n: 1, h: 2, w: 2, lane: 16, reduce chunk: 1)
// CHECK-NEXT:    ins(%x[n, (chunk * 16 + lane) floordiv 16, h, w, (chunk * 16 + lane) mod 16])
// CHECK:         axes(n: 1, h: 2, w: 2, lane: 4)
// CHECK-NEXT:    ins(%x[n, (lane + 16) floordiv 16, h, w, (lane + 16) mod 16])
// CHECK-NEXT:    extras(%[[T:.*]][n, h, w, lane])
// CHECK-NEXT:    out(%[[T]][n, h, w, lane])
// CHECK:         axes(n: 1, h: 2, w: 2, reduce lane: 16)
// CHECK:         axes(n: 1, c: 12, h: 2, w: 2)
// CHECK-NEXT:    out(%y[n, (c + 20) floordiv 16, h, w, (c + 20) mod 16])
func.func private @softmax_of_ragged_channels(%x: tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> {
  %y = graph.softmax axis 1 %x : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// 0 / 0 is NaN, which must not stay in storage.
// CHECK-LABEL: func.func private @zero_by_zero(
// CHECK:         arith.divf
// CHECK:         axes(n: 1, c: 12, h: 2, w: 2)
// CHECK-NEXT:    out(%y[
// CHECK-NOT:     te.compute
func.func private @zero_by_zero(%x: tensor<1x20x2x2xf32>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> {
  %y = graph.div %x, %x : (tensor<1x20x2x2xf32>, tensor<1x20x2x2xf32>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// exp(0) is 1, but what is stored is 0 * (1 + 1): nothing has to be overwritten.
// CHECK-LABEL: func.func private @zero_times_what_is_finite(
// CHECK:         te.compute
// CHECK:         arith.constant 1.000000e+00
// CHECK-NOT:     te.compute
func.func private @zero_times_what_is_finite(%x: tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> {
  %one = graph.constant dense<1.0> : tensor<1x1x1x1xf32>
  %e = graph.exp %x : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  %s = graph.add %e, %one : (tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>, tensor<1x1x1x1xf32>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  %y = graph.mul %x, %s : (tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>, tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// The factor of all channels may be infinite, and 0 * inf is NaN.
// CHECK-LABEL: func.func private @zero_times_what_may_be_infinite(
// CHECK:         arith.mulf
// CHECK:         axes(n: 1, c: 12, h: 2, w: 2)
// CHECK-NEXT:    out(%y[
func.func private @zero_times_what_may_be_infinite(%x: tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>, %f: tensor<1x1x1x1xf32>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> {
  %y = graph.mul %x, %f : (tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>, tensor<1x1x1x1xf32>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// exp(x) is in registers only, so its padding does not matter; what is stored is max(0, 1 - 2).
// CHECK-LABEL: func.func private @clipped_to_zero(
// CHECK:         te.compute
// CHECK:         math.exp
// CHECK:         te.compute
// CHECK:         te.compute
// CHECK-NOT:     te.compute
func.func private @clipped_to_zero(%x: tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> {
  %two = graph.constant dense<2.0> : tensor<1x1x1x1xf32>
  %e = graph.exp %x : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  %d = graph.sub %e, %two : (tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>, tensor<1x1x1x1xf32>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  %y = graph.relu %d : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @mean_into_a_block_of_height(
// CHECK:         axes(n: 1, c: 8, h: 3, w: 1)
// CHECK-NEXT:    out(%y[n, c, (h + 1) floordiv 4, w, (h + 1) mod 4])
func.func private @mean_into_a_block_of_height(%x: tensor<1x8x4x6xf32>) -> tensor<1x8x1x1xf32, #graph.layout<NCHW4h>> {
  %y = graph.global_avg_pool %x : tensor<1x8x4x6xf32> -> tensor<1x8x1x1xf32, #graph.layout<NCHW4h>>
  func.return %y : tensor<1x8x1x1xf32, #graph.layout<NCHW4h>>
}

// -----

// CHECK-LABEL: func.func private @zeros_over_the_root_of_zero(
// CHECK:         axes(n: 1, c: 12, h: 2, w: 2)
// CHECK-NEXT:    out(%y[
func.func private @zeros_over_the_root_of_zero(%x: tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> {
  %y = graph.normalize %x axes [2, 3] epsilon 0.0 : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>> -> tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x2x2xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK: lower-graph-to-te: graph.max_pool2d has no elements for the channels with which tensor<1x20x1x1xf32, #graph.layout<NCHW16c>> fills its last block up; give tensor<1x20x2x2xf32> the same layout
func.func private @maximum_of_nothing(%x: tensor<1x20x2x2xf32>) -> tensor<1x20x1x1xf32, #graph.layout<NCHW16c>> {
  %y = graph.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] : tensor<1x20x2x2xf32> -> tensor<1x20x1x1xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x1x1xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK: lower-graph-to-te: graph.relu in @doubles has elements of type f64; of floats only f32 is lowered
func.func private @doubles(%x: tensor<4xf64>) -> tensor<4xf64> {
  %y = graph.relu %x : tensor<4xf64> -> tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// -----

// CHECK: lower-graph-to-te: no formula for graph.constant in @network_that_is_not_cut_into_kernels; run outline-kernels first
func.func @network_that_is_not_cut_into_kernels(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = graph.constant "9f86d081884c7d65" : tensor<4xf32>
  %y = graph.add %x, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func private @slice_is_a_linear_access
// CHECK:           axes(i0: 2, i1: 4)
// CHECK-NEXT:      ins(%x[i0, -i1 * 2 + 7])
// CHECK-NEXT:      out(%y[i0, i1])
func.func private @slice_is_a_linear_access(%x: tensor<2x8xf32>) -> tensor<2x4xf32> {
  %y = graph.slice %x starts [0, 7] steps [1, -2] : tensor<2x8xf32> -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func.func private @gather_is_an_op_for_each_run_of_indices
// CHECK:           axes(i0: 2, i1: 3)
// CHECK-NEXT:      ins(%x[i0, -i1 + 2])
// CHECK-NEXT:      out(%y[i0, i1])
// CHECK:           axes(i0: 2, i1: 4)
// CHECK-NEXT:      ins(%x[i0, -(i1 floordiv 2) * 2 + (i1 mod 2) * 4 + 2])
// CHECK-NEXT:      out(%y[i0, i1 + 3])
func.func private @gather_is_an_op_for_each_run_of_indices(%x: tensor<2x8xf32>) -> tensor<2x7xf32> {
  %y = graph.gather axis 1 [2, 1, 0, 2, 6, 0, 4] %x : tensor<2x8xf32> -> tensor<2x7xf32>
  func.return %y : tensor<2x7xf32>
}

// -----

// Zeros after the last index fill the second block up.
// CHECK-LABEL: func.func private @gather_fills_blocks_up
// CHECK:           axes(n: 1, c: 20, h: 4, w: 4)
// CHECK-NEXT:      ins(%x[n, (c + 16) floordiv 16, h, w, (c + 16) mod 16])
// CHECK-NEXT:      out(%y[n, c floordiv 16, h, w, c mod 16])
// CHECK:           axes(n: 1, c: 12, h: 4, w: 4)
// CHECK-NEXT:      out(%y[n, (c + 20) floordiv 16, h, w, (c + 20) mod 16])
func.func private @gather_fills_blocks_up(%x: tensor<1x48x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> {
  %y = graph.gather axis 1 [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35] %x : tensor<1x48x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @tile_reads_again
// CHECK:           ins(%x[0, i1 mod 3, i2])
func.func private @tile_reads_again(%x: tensor<1x3x5xf32>) -> tensor<4x6x5xf32> {
  %y = graph.tile %x : tensor<1x3x5xf32> -> tensor<4x6x5xf32>
  func.return %y : tensor<4x6x5xf32>
}

// -----

// CHECK-LABEL: func.func private @depth_is_divided
// CHECK:           ins(%x[n, c + (h mod 2) * 6 + (w mod 2) * 3, h floordiv 2, w floordiv 2])
// CHECK:           ins(%x[n, c * 4 + (h mod 2) * 2 + w mod 2, h floordiv 2, w floordiv 2])
// CHECK:           ins(%y[n, c mod 3, h * 2 + (c floordiv 3) floordiv 2, w * 2 + (c floordiv 3) mod 2])
func.func private @depth_is_divided(%x: tensor<1x12x2x2xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>, tensor<1x12x2x2xf32>) {
  %a = graph.depth_to_space %x block 2 order "dcr" : tensor<1x12x2x2xf32> -> tensor<1x3x4x4xf32>
  %b = graph.depth_to_space %x block 2 order "crd" : tensor<1x12x2x2xf32> -> tensor<1x3x4x4xf32>
  %c = graph.space_to_depth %a block 2 order "dcr" : tensor<1x3x4x4xf32> -> tensor<1x12x2x2xf32>
  func.return %a, %b, %c : tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>, tensor<1x12x2x2xf32>
}

// -----

// CHECK-LABEL: func.func private @repeated_elements_are_a_division
// CHECK:           ins(%x[n, c, h floordiv 2, w floordiv 3])
// CHECK-NEXT:      out(%y[n, c, h, w])
func.func private @repeated_elements_are_a_division(%x: tensor<2x3x4x4xf32>) -> tensor<2x3x8x12xf32> {
  %y = graph.repeat %x : tensor<2x3x4x4xf32> -> tensor<2x3x8x12xf32>
  func.return %y : tensor<2x3x8x12xf32>
}

// -----

// CHECK-LABEL: func.func private @places_without_weights_are_read
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(n: 1, c: 16, h: 5, w: 4)
// CHECK-NEXT:      ins(%i[h, 0] as at_h: 4, %x[n, c floordiv 16, at_h, w, c mod 16])
// CHECK-NEXT:      out(%y[n, c floordiv 16, h, w, c mod 16])
// CHECK:           te.yield %a
func.func private @places_without_weights_are_read(%x: tensor<1x3x4x4xf32, #graph.layout<NCHW16c>>, %i: tensor<5x1xi32>) -> tensor<1x3x5x4xf32, #graph.layout<NCHW16c>> {
  %y = graph.resample %x over [2] at(%i : tensor<5x1xi32>) : tensor<1x3x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x3x5x4xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x3x5x4xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @taps_are_summed_up_by_weight
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(n: 1, c: 16, h: 5, w: 7, reduce kw: 2)
// CHECK-NEXT:      ins(%i[h, 0] as at_h: 4, %j[w, kw] as at_w: 4, %u[h, 0], %v[w, kw], %x[n, c floordiv 16, at_h, at_w, c mod 16])
// CHECK-NEXT:      out(%y[n, c floordiv 16, h, w, c mod 16])
// CHECK:           %[[W:.*]] = arith.mulf %a, %a1
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[W]], %a2
// CHECK-NEXT:      %[[S:.*]] = arith.addf %[[P]], %acc
// CHECK-NEXT:      te.yield %[[S]]
func.func private @taps_are_summed_up_by_weight(%x: tensor<1x16x4x4xf32, #graph.layout<NCHW16c>>, %i: tensor<5x1xi32>, %j: tensor<7x2xi32>, %u: tensor<5x1xf32>, %v: tensor<7x2xf32>) -> tensor<1x16x5x7xf32, #graph.layout<NCHW16c>> {
  %y = graph.resample %x over [2, 3] at(%i, %j : tensor<5x1xi32>, tensor<7x2xi32>) weights(%u, %v : tensor<5x1xf32>, tensor<7x2xf32>) : tensor<1x16x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x16x5x7xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x16x5x7xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @gathering_along_vectors_is_a_step_of_its_own
// CHECK:           %[[T:.*]] = memref.alloc() : memref<1x3x4x7xf32>
// CHECK:           ins(%j[w, kw] as at_w: 4, %v[w, kw], %x[n, c, h, at_w])
// CHECK-NEXT:      out(%[[T]][n, c, h, w])
// CHECK:           ins(%i[h, 0] as at_h: 4, %u[h, 0], %[[T]][n, c, at_h, w])
// CHECK-NEXT:      out(%y[n, c, h, w])
func.func private @gathering_along_vectors_is_a_step_of_its_own(%x: tensor<1x3x4x4xf32>, %i: tensor<5x1xi32>, %j: tensor<7x2xi32>, %u: tensor<5x1xf32>, %v: tensor<7x2xf32>) -> tensor<1x3x5x7xf32> {
  %y = graph.resample %x over [2, 3] at(%i, %j : tensor<5x1xi32>, tensor<7x2xi32>) weights(%u, %v : tensor<5x1xf32>, tensor<7x2xf32>) : tensor<1x3x4x4xf32> -> tensor<1x3x5x7xf32>
  func.return %y : tensor<1x3x5x7xf32>
}

// -----

// CHECK-LABEL: func.func private @where_less_is_left_that_step_comes_last
// CHECK:           %[[T:.*]] = memref.alloc() : memref<1x3x2x4xf32>
// CHECK:           ins(%i[h, 0] as at_h: 4, %u[h, 0], %x[n, c, at_h, w])
// CHECK:           ins(%j[w, kw] as at_w: 4, %v[w, kw], %[[T]][n, c, h, at_w])
func.func private @where_less_is_left_that_step_comes_last(%x: tensor<1x3x4x4xf32>, %i: tensor<2x1xi32>, %j: tensor<3x2xi32>, %u: tensor<2x1xf32>, %v: tensor<3x2xf32>) -> tensor<1x3x2x3xf32> {
  %y = graph.resample %x over [2, 3] at(%i, %j : tensor<2x1xi32>, tensor<3x2xi32>) weights(%u, %v : tensor<2x1xf32>, tensor<3x2xf32>) : tensor<1x3x4x4xf32> -> tensor<1x3x2x3xf32>
  func.return %y : tensor<1x3x2x3xf32>
}

// -----

// CHECK-LABEL: func.func private @sampled_pixels_differ_from_place_to_place
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(n: 1, c: 16, h: 5, w: 7, reduce kh: 2)
// CHECK-NEXT:      ins(%i[kh, n, h, w] as at_h: 8, %j[0, n, h, w] as at_w: 8, %v[kh, n, h, w], %w[0, n, h, w], %x[n, c floordiv 16, at_h, at_w, c mod 16])
// CHECK-NEXT:      out(%y[n, c floordiv 16, h, w, c mod 16])
// CHECK:           %[[W:.*]] = arith.mulf %a, %a1
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[W]], %a2
// CHECK-NEXT:      arith.addf %[[P]], %acc
func.func private @sampled_pixels_differ_from_place_to_place(%x: tensor<1x3x8x8xf32, #graph.layout<NCHW16c>>, %i: tensor<2x1x5x7xi32>, %j: tensor<1x1x5x7xi32>, %v: tensor<2x1x5x7xf32>, %w: tensor<1x1x5x7xf32>) -> tensor<1x3x5x7xf32, #graph.layout<NCHW16c>> {
  %y = graph.sample %x at(%i, %j : tensor<2x1x5x7xi32>, tensor<1x1x5x7xi32>) weights(%v, %w : tensor<2x1x5x7xf32>, tensor<1x1x5x7xf32>) : tensor<1x3x8x8xf32, #graph.layout<NCHW16c>> -> tensor<1x3x5x7xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x3x5x7xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @mean_is_a_scaled_sum
// CHECK:           axes(i1: 8, reduce i0: 2, reduce i2: 4)
// CHECK-NEXT:      ins(%x[i0, i1, i2])
// CHECK-NEXT:      out(%y[0, i1, 0])
// CHECK:           arith.constant 1.250000e-01
func.func private @mean_is_a_scaled_sum(%x: tensor<2x8x4xf32>) -> tensor<1x8x1xf32> {
  %y = graph.reduce "mean" %x over [0, 2] : tensor<2x8x4xf32> -> tensor<1x8x1xf32>
  func.return %y : tensor<1x8x1xf32>
}

// -----

// CHECK-LABEL: func.func private @several_readers_are_one_formula(
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(i0: 4)
// CHECK-NEXT:      ins(%x[i0])
// CHECK-NEXT:      out(%y[i0])
// CHECK:           %[[R:.*]] = arith.maximumf %a, %{{.*}} : f32
// CHECK-NEXT:      %[[N:.*]] = math.absf %a : f32
// CHECK-NEXT:      %[[S:.*]] = arith.addf %[[R]], %[[N]] : f32
// CHECK-NEXT:      te.yield %[[S]]
// CHECK-NOT:     te.compute
func.func private @several_readers_are_one_formula(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  %n = graph.abs %x : tensor<4xf32> -> tensor<4xf32>
  %y = graph.add %r, %n : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func private @chosen_by_a_comparison
// CHECK-SAME:      (%x: memref<8xf32>, %y: memref<8xf32>)
// CHECK-NEXT:    te.compute
// CHECK:         (%a: f32, %acc: f32) {
// CHECK:           %[[Z:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:           arith.cmpf
// CHECK:           arith.select
// CHECK:           te.yield
// CHECK-NOT:     te.compute
func.func private @chosen_by_a_comparison(%x: tensor<8xf32>) -> tensor<8xf32> {
  %z = graph.relu %x : tensor<8xf32> -> tensor<8xf32>
  %c = graph.compare "lt" %x, %z : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xi1>
  %y = graph.where %c, %x, %z : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func private @types_of_scalars_are_those_of_buffers
// CHECK:           init 0 : i8
// CHECK-NEXT:      : memref<8xi1>, memref<8xui8> (%a: i1, %acc: i8) {
// CHECK-NEXT:      arith.extui %a : i1 to i8
// CHECK:           (%a: i8, %a1: i8, %acc: i8) {
// CHECK-NEXT:      arith.addi %a, %a1 : i8
// CHECK:           init 0 : i64
// CHECK-NEXT:      : memref<8xui8>, memref<8xi64> (%a: i8, %acc: i64) {
// CHECK-NEXT:      arith.extui %a : i8 to i64
// CHECK:           arith.muli %a, %a : i64
func.func private @types_of_scalars_are_those_of_buffers(%x: tensor<8xui8>, %c: tensor<8xi1>) -> tensor<8xi64> {
  %b = graph.cast %c : tensor<8xi1> -> tensor<8xui8>
  %s = graph.add %x, %b : (tensor<8xui8>, tensor<8xui8>) -> tensor<8xui8>
  %w = graph.cast %s : tensor<8xui8> -> tensor<8xi64>
  %d = graph.mul %w, %w : (tensor<8xi64>, tensor<8xi64>) -> tensor<8xi64>
  func.return %d : tensor<8xi64>
}

// -----

// Places from the front and inside, then the copy at them; the rest of the last block is zeros.
// CHECK-LABEL: func.func private @places_are_read
// CHECK-NEXT:      %[[P:.*]] = memref.alloc() : memref<20xi32>
// CHECK:           axes(i0: 20)
// CHECK-NEXT:      ins(%i[i0])
// CHECK-NEXT:      out(%[[P]][i0])
// CHECK:             %[[S:.*]] = arith.shrsi %a
// CHECK-NEXT:        %[[N:.*]] = arith.constant 48 : i64
// CHECK-NEXT:        %[[M:.*]] = arith.andi %[[S]], %[[N]] : i64
// CHECK-NEXT:        %[[F:.*]] = arith.addi %a, %[[M]] : i64
// CHECK:             arith.maxsi %[[F]]
// CHECK:             arith.minsi
// CHECK-NEXT:        arith.trunci
// CHECK:           axes(n: 1, c: 20, h: 4, w: 4)
// CHECK-NEXT:      ins(%[[P]][c] as at: 48, %x[n, at floordiv 16, h, w, at mod 16])
// CHECK-NEXT:      out(%y[n, c floordiv 16, h, w, c mod 16])
// CHECK:           axes(n: 1, c: 12, h: 4, w: 4)
// CHECK-NEXT:      out(%y[n, (c + 20) floordiv 16, h, w, (c + 20) mod 16])
func.func private @places_are_read(%x: tensor<1x48x4x4xf32, #graph.layout<NCHW16c>>, %i: tensor<20xi64>) -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> {
  %y = graph.take axis 1 %x at %i : tensor<1x48x4x4xf32, #graph.layout<NCHW16c>>, tensor<20xi64> -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @each_element_has_a_place
// CHECK:           axes(i0: 2, i1: 4)
// CHECK-NEXT:      ins(%i[i0, i1])
// CHECK:           axes(i0: 2, i1: 4)
// CHECK-NEXT:      ins(%{{.*}}[i0, i1] as at: 9, %x[i0, at])
// CHECK-NEXT:      out(%y[i0, i1])
func.func private @each_element_has_a_place(%x: tensor<3x9xf32>, %i: tensor<2x4xi32>) -> tensor<2x4xf32> {
  %y = graph.take_along axis 1 %x at %i : tensor<3x9xf32>, tensor<2x4xi32> -> tensor<2x4xf32>
  func.return %y : tensor<2x4xf32>
}

// -----

// Columns of a tile first, for every column of the image once; then its rows.
// CHECK-LABEL: func.func private @tiles_are_transformed_by_columns_and_rows
// CHECK-NEXT:    %[[B:.*]] = te.constant dense<[[1.000000e+00, 0.000000e+00, -1.000000e+00, 0.000000e+00], [0.000000e+00, 1.000000e+00, 1.000000e+00, 0.000000e+00], [0.000000e+00, 1.000000e+00, -1.000000e+00, 0.000000e+00], [0.000000e+00, 1.000000e+00, 0.000000e+00, -1.000000e+00]]>
// CHECK-NEXT:    %[[T:.*]] = memref.alloc() : memref<1x2x4x8x4x16xf32>
// CHECK:           axes(n: 1, c: 32, h: 4, w: 8, a: 4, reduce i: 4)
// CHECK-NEXT:      ins(%x[n, c floordiv 16, h * 2 + i + 1, w, c mod 16], %[[B]][a, i])
// CHECK-NEXT:      out(%[[T]][n, c floordiv 16, h, w, a, c mod 16])
// CHECK:           axes(n: 1, a: 4, b: 4, c: 32, h: 4, w: 3, reduce j: 4)
// CHECK-NEXT:      ins(%[[T]][n, c floordiv 16, h, j + w * 2, a, c mod 16], %[[B]][b, j])
// CHECK-NEXT:      out(%y[n, (a * 128 + b * 32 + c) floordiv 16, h, w, (a * 128 + b * 32 + c) mod 16])
func.func private @tiles_are_transformed_by_columns_and_rows(%x: tensor<1x32x7x6xf32, #graph.layout<NCHW16c, halo [2:2, 1:1]>>) -> tensor<1x512x4x3xf32, #graph.layout<NCHW16c>> {
  %y = graph.winograd_input %x tile 2 pads [1, 1, 1, 1] : tensor<1x32x7x6xf32, #graph.layout<NCHW16c, halo [2:2, 1:1]>> -> tensor<1x512x4x3xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x512x4x3xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func private @results_are_what_of_a_tile_is_inside
// CHECK-NEXT:    %[[A:.*]] = te.constant dense<[[1.000000e+00, 1.000000e+00, 1.000000e+00, 0.000000e+00], [0.000000e+00, 1.000000e+00, -1.000000e+00, 1.000000e+00]]>
// CHECK:           axes(n: 1, oc: 32, h: 4, w: 3, p: 2, b: 4, reduce a: 4)
// CHECK-NEXT:      ins(%x[n, (a * 128 + b * 32 + oc) floordiv 16, h, w, (a * 128 + b * 32 + oc) mod 16], %[[A]][p, a])
// CHECK-NEXT:      out(%[[T:.*]][n, oc floordiv 16, h, w, p, b, oc mod 16])
// CHECK:           axes(n: 1, oc: 32, oh: 7, ow: 6, reduce b: 4)
// CHECK-NEXT:      ins(%[[T]][n, oc floordiv 16, oh floordiv 2, ow floordiv 2, oh mod 2, b, oc mod 16], %[[A]][ow mod 2, b])
// CHECK-NEXT:      extras(%b[oc])
// CHECK-NEXT:      out(%y[n, oc floordiv 16, oh, ow, oc mod 16])
func.func private @results_are_what_of_a_tile_is_inside(%x: tensor<1x512x4x3xf32, #graph.layout<NCHW16c>>, %b: tensor<32xf32>) -> tensor<1x32x7x6xf32, #graph.layout<NCHW16c>> {
  %y = graph.winograd_output %x bias %b tile 2 : (tensor<1x512x4x3xf32, #graph.layout<NCHW16c>>, tensor<32xf32>) -> tensor<1x32x7x6xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x32x7x6xf32, #graph.layout<NCHW16c>>
}

// -----

// CHECK-LABEL: func.func @kernels_write_parts_of_a_concat
// CHECK-NEXT:    %[[Z:.*]] = memref.alloc() : memref<12xf32>
// CHECK-NEXT:    %[[Y:.*]] = memref.subview %[[Z]][0] [8] [1] : memref<12xf32> to memref<8xf32>
// CHECK-NEXT:    %[[C:.*]] = memref.subview %[[Z]][8] [4] [1] : memref<12xf32> to memref<4xf32>
// CHECK-NEXT:    %[[R:.*]] = memref.subview %[[Y]][0] [4] [1]
// CHECK-NEXT:    %[[A:.*]] = memref.reinterpret_cast %[[R]] to offset: [0], sizes: [2, 2], strides: [2, 1]
// CHECK-NEXT:    %[[B:.*]] = memref.subview %[[Y]][4] [4] [1]
// CHECK-NEXT:    func.call @square(%x, %[[A]])
// CHECK:         func.call @line(%u, %[[B]])
// CHECK-NEXT:    func.call @line(%u, %[[C]])
// CHECK-NEXT:    %[[S:.*]] = memref.subview %[[Z]][4] [4] [1]
// CHECK-NEXT:    func.call @line(%[[S]], %out)
func.func @kernels_write_parts_of_a_concat(%x: tensor<2x2xf32>, %u: tensor<4xf32>) -> tensor<4xf32> attributes {lamina.outputs = ["out"]} {
  %a = func.call @square(%x) : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = graph.reshape %a : tensor<2x2xf32> -> tensor<4xf32>
  %b = func.call @line(%u) : (tensor<4xf32>) -> tensor<4xf32>
  %y = graph.concat axis 0 in_place %r, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %c = func.call @line(%u) : (tensor<4xf32>) -> tensor<4xf32>
  %z = graph.concat axis 0 in_place %y, %c : (tensor<8xf32>, tensor<4xf32>) -> tensor<12xf32>
  %s = graph.slice %z starts [4] steps [1] in_place : tensor<12xf32> -> tensor<4xf32>
  %out = func.call @line(%s) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %out : tensor<4xf32>
}
func.func private @square(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %y = graph.relu %x : tensor<2x2xf32> -> tensor<2x2xf32>
  func.return %y : tensor<2x2xf32>
}
func.func private @line(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// CHECK: lower-graph-to-te: an operand tensor<4xf32> of a graph.concat in place is stored elsewhere already; place-concats copies such an operand
func.func @input_in_place(%x: tensor<4xf32>) -> tensor<8xf32> {
  %a = func.call @relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %y = graph.concat axis 0 in_place %x, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}
func.func private @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
